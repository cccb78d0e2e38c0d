/* The header alone, first and twice; what its types promise. header_again.cpp is the same program's other half. */
#include "factor2.hpp"
#include "factor2.hpp"

#include <type_traits>

namespace {

using factor2::authenticator;
using factor2::error;
using factor2::response;

template <class T> struct moves_only
    : std::bool_constant<std::is_nothrow_move_constructible_v<T> &&
                         std::is_nothrow_move_assignable_v<T> && !std::is_copy_constructible_v<T> &&
                         !std::is_copy_assignable_v<T> && std::is_nothrow_destructible_v<T>> {};
static_assert(moves_only<authenticator>::value);
static_assert(moves_only<response>::value);

static_assert(sizeof(authenticator) == sizeof(void *));
static_assert(sizeof(response) == 2 * sizeof(void *));

/* A verdict is tested, and is not taken for a number, nor a number for a verdict. */
static_assert(std::is_constructible_v<bool, response> && !std::is_convertible_v<response, bool>);
static_assert(!std::is_convertible_v<response, int> &&
              !std::is_convertible_v<factor2::status, int>);
static_assert(!std::is_convertible_v<factor2::status, bool> &&
              !std::is_constructible_v<response, int>);
static_assert(!std::is_default_constructible_v<response> &&
              !std::is_default_constructible_v<authenticator>);
static_assert(!std::is_convertible_v<const char *, authenticator>);
static_assert(sizeof(factor2::status) == sizeof(factor2_status));

static_assert(std::is_base_of_v<std::runtime_error, error>);
static_assert(std::is_nothrow_copy_constructible_v<error>);

static_assert(noexcept(std::declval<const authenticator &>().call(factor2_verify, "{}")));
static_assert(noexcept(std::declval<authenticator &>().close()));
static_assert(noexcept(std::declval<const response &>().status()));
static_assert(noexcept(std::declval<const response &>().json()));
static_assert(noexcept(std::declval<const response &>().data()));

/* One authenticator for all threads: operations need no more than a const one. */
template <class... Texts> using verified =
    decltype(std::declval<const authenticator &>().verify(std::declval<Texts>()...));
static_assert(std::is_same_v<verified<const char *, const char *>, response>);
static_assert(std::is_same_v<verified<std::string, std::string_view, long>, response>);

} // namespace

const char *name_in_the_other_half(factor2::status status);
bool verified_in_the_other_half(const authenticator &authenticator);

int main() {
    const authenticator maker(R"({"issuer":"Example","fixed_time":1800000000})");
    if (name_in_the_other_half(factor2::status::Throttled) != std::string_view("Throttled"))
        return 1;
    return verified_in_the_other_half(maker) ? 0 : 2;
}
