/* What comes back: verdicts, responses, errors, and objects that were closed or moved from. */
#include "factor2.hpp"

#include "../c/check.h"

#include <cstring>
#include <locale>
#include <new>
#include <vector>

#include <malloc.h>

namespace {

/* Stands for a secret. How many blocks of memory were given back with it in them. */
constexpr const char *MARK = "a text that nothing else in this program has!";
int given_back_with_mark = 0;

void give_back(void *block) {
    if (memmem(block, malloc_usable_size(block), MARK, std::strlen(MARK)) != nullptr)
        ++given_back_with_mark;
    std::free(block);
}

} // namespace

void *operator new(std::size_t size) {
    if (void *block = std::calloc(1, size))
        return block;
    throw std::bad_alloc();
}
void operator delete(void *block) noexcept {
    if (block != nullptr)
        give_back(block);
}
void operator delete(void *block, std::size_t) noexcept { operator delete(block); }

namespace {

using factor2::authenticator;
using factor2::response;
using factor2::status;

constexpr const char *CONFIG = R"({"issuer":"Example","fixed_time":1800000000})";
constexpr const char *SECRET = "GUTCCIS2GHGBRKVLPSQV2ZTZNSHSXG3Q";
constexpr const char *CODE = "967967";

bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

/* The status and text of the factor2::error that `act` throws. */
template <class Act> std::pair<status, std::string> thrown(Act act) {
    try {
        act();
    } catch (const factor2::error &error) {
        return {error.status(), error.what()};
    }
    return {status::Ok, "nothing was thrown"};
}

template <class Act> bool out_of_range(Act act) {
    try {
        act();
    } catch (const std::out_of_range &) {
        return true;
    }
    return false;
}

TEST verdicts_are_ordinary_outcomes() {
    const authenticator guard(CONFIG);
    const response accepted = guard.verify(SECRET, CODE);
    CHECK(accepted && accepted.status() == status::Ok);
    CHECK(accepted.message().empty() && !accepted.retry_after() && accepted.data().empty());
    CHECK(accepted.at("step") == "60000000" && accepted.at("accepted") == "true");
    CHECK(accepted.value() == accepted.json());

    const response reused = guard.verify(SECRET, CODE);
    CHECK(!reused && reused.status() == status::TokenReused && !reused.retry_after());
    CHECK(contains(reused.message(), "was accepted before"));
    const auto [code, what] = thrown([&] { reused.value(); });
    CHECK(code == status::TokenReused && what == "TokenReused: " + reused.message());
    CHECK(thrown([&] { static_cast<void>(reused.at("step")); }).first == status::TokenReused);

    for (int wrong = 1; wrong < 5; ++wrong)
        CHECK(!guard.verify(SECRET, "000000").retry_after());
    CHECK(guard.verify(SECRET, "000000").retry_after() == std::chrono::seconds(30));
    const response throttled = guard.verify(SECRET, "000000");
    CHECK(throttled.status() == status::Throttled);
    CHECK(throttled.retry_after() == std::chrono::seconds(30));
    CHECK(guard.reset(SECRET) && guard.inspect(SECRET).at("failures") == "0");
}

TEST whatever_a_user_typed_stays_a_text() {
    const authenticator guard(CONFIG);
    const std::string added = std::string(CODE) + R"(","totpsecret":")" + SECRET;
    CHECK(guard.verify(SECRET, added).status() == status::InvalidToken);
    CHECK(guard.verify(SECRET, std::string_view("967967\0", 7)).status() == status::InvalidToken);
    CHECK(guard.verify(SECRET, "\xff\xfe").status() == status::BadRequest);
    CHECK(guard.verify(SECRET, std::string_view()).status() == status::InvalidToken);
    CHECK(guard.verify(std::string(70000, 'A'), CODE).status() == status::RequestTooLarge);

    const std::string odd = "b\"o\\b/ \xe6\x97\xa5{}[],\\\"";
    const response made = guard.create_secret(odd);
    CHECK(made && made.at("username") == odd && made.at("totpsecret").size() == 32);
    CHECK(contains(made.data().substr(0, 4), "PNG"));

    std::string all; /* of ASCII */
    for (int byte = 0; byte < 0x80; ++byte)
        all += static_cast<char>(byte);
    const response session =
        guard.reprepare_configuration("bob", "{\"totpsecret\":" + factor2::quoted(all) + "}");
    CHECK(session.status() == status::Unauthorized); /* its data is JSON, and has no factor2 */
    const std::string name = "\"\\\xe2\x82\xac";
    const authenticator named(R"({"issuer":"Example","friendly_name":)" + factor2::quoted(name) +
                              "}");
    CHECK(named.describe().at("friendly_name") == name);
    CHECK(factor2::quoted(std::string_view()) == "\"\"");
    CHECK(factor2::quoted("a\n\x1f\x7f\"\\") == "\"a\\n\\u001f\x7f\\\"\\\\\"");
    CHECK(factor2::quoted(std::string_view("\0", 1)) == "\"\\u0000\"");
    const auto [code, what] = thrown([] { static_cast<void>(factor2::quoted("\xff")); });
    CHECK(code == status::BadRequest && what == "BadRequest: not UTF-8");
}

/* They are sent as they are, and must not become another request. */
TEST texts_that_are_not_utf_8_are_refused_wherever_they_stand() {
    const authenticator guard(CONFIG);
    const std::string odd = std::string(CODE) + R"(","username":")" + "\xff";
    std::vector<response> all;
    all.push_back(guard.create_secret(odd));
    all.push_back(guard.create_secret("bob", odd));
    all.push_back(guard.qr("bob", SECRET, odd));
    all.push_back(guard.prepare_configuration(odd));
    all.push_back(guard.reprepare_configuration("bob", odd));
    all.push_back(guard.verify(SECRET, odd));
    all.push_back(guard.resync(SECRET, CODE, odd));
    all.push_back(guard.diagnose(SECRET, odd));
    all.push_back(guard.read_uri(odd));
    all.push_back(guard.inspect(odd));
    for (const response &each : all)
        CHECK(each.status() == status::BadRequest && contains(each.message(), "not UTF-8"));
}

TEST members_are_found_by_their_path() {
    const response described = authenticator(CONFIG).describe();
    CHECK(described.at("digits") == "6" && described.at("guard.store") == "memory");
    CHECK(described.at("secret_names.0") == "totpsecret" && described.at("factor_name").empty());
    CHECK(contains(described.at("guard"), R"("store":"memory")"));
    CHECK(authenticator(CONFIG).inspect(SECRET).at("last_step") == "null");
    for (const char *missing : {"store", "guard.", "secret_names.1", "", "\xff"})
        CHECK(out_of_range([&] { static_cast<void>(described.at(missing)); }));
}

TEST a_picture_is_a_png_unless_another_is_asked_for() {
    const authenticator guard(CONFIG);
    const response png = guard.qr("bob", SECRET);
    CHECK(png.at("format") == "png" && png.at("media_type") == "image/png");
    CHECK(contains(png.data().substr(0, 4), "PNG") && png.at("width") == png.at("height"));
    CHECK(guard.qr("bob", SECRET, "svg").at("media_type") == "image/svg+xml");
    const response text = guard.qr("bob", SECRET, "text");
    CHECK(text.at("format") == "text" && contains(text.data(), "\xe2\x96\x88"));
    CHECK(text.at("bytes") == std::to_string(text.data().size()));
    CHECK(guard.qr("bob", SECRET, "bmp").status() == status::BadRequest);
}

/* Writes numbers as much of Europe does. */
struct decimal_comma : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\1"; }
};

TEST findings_are_numbers_in_any_locale() {
    const authenticator guard(CONFIG);
    const std::locale before = std::locale::global(std::locale(std::locale(), new decimal_comma));
    const response late = guard.diagnose(SECRET, "745994"); /* of two steps later */
    const std::vector<factor2::finding> found = late.findings();
    std::locale::global(before);
    CHECK(late.at("right") == "false" && found.size() == 1 && found[0].what == "clock");
    CHECK(found[0].drift == 2 && found[0].drift_time == std::chrono::seconds(60));
    CHECK(found[0].chance > 0.0057 && found[0].chance < 0.0058);
    CHECK(!found[0].step && !found[0].algorithm && !found[0].retry_after);

    CHECK(guard.diagnose(SECRET, CODE).findings().empty());
    CHECK(guard.verify(SECRET, CODE).findings().empty());
    const response none = guard.diagnose(SECRET, "1");
    CHECK(thrown([&] { static_cast<void>(none.findings()); }).first == status::InvalidToken);
}

TEST counters_and_drifts() {
    const authenticator guard(CONFIG);
    factor2::secret_request wanted;
    wanted.username = "bob";
    wanted.type = "hotp";
    const std::string token = guard.create_secret(wanted).at("uri");
    const std::string code = guard.generate(token).at("otp");
    CHECK(guard.verify(token, code).at("counter") == "0");
    CHECK(guard.verify(token, code).status() == status::TokenReused);

    factor2::verify_request request;
    request.totpsecrets = {SECRET};
    request.otp = "745994";
    CHECK(guard.verify(request).status() == status::InvalidToken);
    request.drifts = {1};
    CHECK(guard.verify(request).at("drift") == "2");
}

TEST failures_are_told_by_name() {
    const auto [code, what] = thrown([] { authenticator bad(R"({"issuer":"a:b"})"); });
    CHECK(code == status::Configuration && contains(what, "Configuration: config.issuer: "));
    CHECK(thrown([] { authenticator bad("{"); }).first == status::BadRequest);
    CHECK(thrown([] { authenticator bad(std::string_view{}); }).first == status::BadRequest);
    const char *unusable =
        R"({"issuer":"Example","guard":{"store":"sqlite","path":"/nonexistent/f"}})";
    CHECK(thrown([=] { authenticator bad(unusable); }).first == status::StoreUnavailable);

    const authenticator guard(CONFIG);
    CHECK(guard.call(factor2_verify, R"({"totpsecret":1})").status() == status::BadRequest);
    CHECK(guard.call(factor2_verify, std::string_view()).status() == status::BadRequest);
    CHECK(guard.verify("not base32!", CODE).status() == status::InvalidSecret);
    CHECK(guard.prepare_configuration("bob").status() == status::Configuration);
    CHECK(factor2::status_http(status::Throttled) == 429);
    CHECK(std::string_view(factor2::status_name(static_cast<status>(7777))) == "UnknownError");
}

void check_closed(const authenticator &closed) {
    std::vector<response> all;
    all.push_back(closed.describe());
    all.push_back(closed.create_secret("bob"));
    all.push_back(closed.create_secret("bob", SECRET));
    all.push_back(closed.qr("bob", SECRET));
    all.push_back(closed.prepare_configuration("bob"));
    all.push_back(closed.reprepare_configuration("bob", "{}"));
    all.push_back(closed.verify(SECRET, CODE));
    all.push_back(closed.verify(SECRET, CODE, 1));
    all.push_back(closed.resync(SECRET, CODE, CODE));
    all.push_back(closed.diagnose(SECRET, CODE));
    all.push_back(closed.read_uri("otpauth://totp/bob"));
    all.push_back(closed.inspect(SECRET));
    all.push_back(closed.reset(SECRET));
    all.push_back(closed.generate(SECRET));
    all.push_back(closed.call(factor2_verify, "{}"));
    for (const response &each : all) {
        CHECK(!each && each.status() == status::InvalidHandle && each.data().empty());
        CHECK(contains(each.json(), R"("code":"InvalidHandle")"));
        CHECK(!each.message().empty() && contains(each.json(), each.message()));
    }
}

TEST closed_and_moved_from_authenticators_are_told_by_name() {
    authenticator first(CONFIG);
    authenticator second(std::move(first));
    check_closed(first); // NOLINT: that is the point
    CHECK(second.verify(SECRET, CODE));
    first = std::move(second);
    check_closed(second); // NOLINT
    CHECK(first.verify(SECRET, CODE).status() == status::TokenReused);
    authenticator other(CONFIG);
    other = std::move(first);
    CHECK(other.verify(SECRET, CODE).status() == status::TokenReused);
    authenticator &itself = other;
    other = std::move(itself);
    CHECK(other.describe());
    other.close();
    other.close();
    check_closed(other);
}

TEST moved_from_responses_are_told_by_name() {
    const authenticator guard(CONFIG);
    response first = guard.create_secret("bob");
    response second(std::move(first));
    CHECK(!first && first.status() == status::InvalidHandle && first.data().empty()); // NOLINT
    CHECK(contains(first.json(), "InvalidHandle") && !first.message().empty());
    CHECK(thrown([&] { first.value(); }).first == status::InvalidHandle);
    CHECK(second && !second.data().empty());
    second = guard.verify(SECRET, "000000");
    CHECK(second.status() == status::InvalidToken && second.data().empty());
    response accepted = guard.verify(SECRET, CODE);
    second = std::move(accepted);
    CHECK(second && !accepted && accepted.status() == status::InvalidHandle); // NOLINT
    second = guard.verify(SECRET, "000000");
    response &itself = second;
    second = std::move(itself);
    CHECK(second.status() == status::InvalidToken && contains(second.message(), "wrong code"));
}

TEST requests_are_wiped() {
    const authenticator guard(CONFIG);
    for (const bool wiped : {true, false}) {
        given_back_with_mark = 0;
        if (wiped)
            CHECK(guard.verify(MARK, CODE).status() == status::InvalidSecret);
        else
            std::string text(MARK);
        CHECK((given_back_with_mark == 0) == wiped);
    }
    given_back_with_mark = 0;
    CHECK(guard.reprepare_configuration("bob", MARK).status() == status::DataFormat);
    CHECK(guard.resync(MARK, CODE, CODE).status() == status::InvalidSecret);
    CHECK(guard.read_uri(MARK).status() == status::InvalidSecret);
    CHECK(given_back_with_mark == 0);
}

} // namespace

int main() {
    RUN(verdicts_are_ordinary_outcomes);
    RUN(whatever_a_user_typed_stays_a_text);
    RUN(texts_that_are_not_utf_8_are_refused_wherever_they_stand);
    RUN(members_are_found_by_their_path);
    RUN(a_picture_is_a_png_unless_another_is_asked_for);
    RUN(findings_are_numbers_in_any_locale);
    RUN(counters_and_drifts);
    RUN(failures_are_told_by_name);
    RUN(closed_and_moved_from_authenticators_are_told_by_name);
    RUN(moved_from_responses_are_told_by_name);
    RUN(requests_are_wiped);
    return 0;
}
