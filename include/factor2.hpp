/*
 * factor2 for C++17 and later: factor2.h with owners instead of pointers. Header only; link as for C.
 *
 *     factor2::authenticator authenticator(R"({"issuer":"Example"})");     // throws factor2::error
 *     if (authenticator.verify(totpsecret, otp)) let_in();                 // true only for an accepted code
 *
 * factor2.h specifies the operations. Here each has the same name without `factor2_`, and takes plain texts
 * instead of a request; they are put into JSON correctly, whatever they hold. The response stays JSON: ask
 * response::at() for one member, or parse response::json() with a JSON library of your own.
 *
 * Errors. C++ libraries are of two minds, and each has a point. SQLiteCpp, libpqxx and nlohmann/json throw;
 * where a "no" is ordinary, their users asked for calls that don't (SQLiteCpp has tryExecuteStep()
 * beside executeStep(), nlohmann/json accept() beside parse()). wasmtime.hh and cpp-httplib return a
 * result that is tested with `if`, which std::expected has made the standard's way as well. A wrong
 * code is ordinary, and anybody on the network can send one: it must not cost an exception, nor end a
 * program that forgot to catch it. So:
 *
 * - An operation returns a [[nodiscard]] response, which is true only for FACTOR2_OK; status() and
 *   message() tell the rest, misuse and a store that is down included. It throws nothing but
 *   std::bad_alloc.
 * - A constructor has nothing to return, so authenticator's throws factor2::error.
 * - response::value() and response::at() throw factor2::error if the operation failed, as
 *   std::expected::value() does: for the calls whose failure is exceptional.
 * - A program that is built without exceptions takes factor2.h.
 *
 * Threads are as in factor2.h: one authenticator for all, its const members being the operations; a response
 * for one at a time. The status of a closed or moved-from object is InvalidHandle. Destructors throw nothing.
 *
 * Copyright the factor2 developers. SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef FACTOR2_HPP
#define FACTOR2_HPP

#if __cplusplus < 201703L && !defined(_MSVC_LANG)
#error "factor2.hpp needs C++17; factor2.h takes every C++"
#endif

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <locale>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "factor2.h"

#if defined(__has_cpp_attribute)
#if __has_cpp_attribute(clang::lifetimebound)
#define FACTOR2_BORROWED [[clang::lifetimebound]]
#endif
#endif
#ifndef FACTOR2_BORROWED
#define FACTOR2_BORROWED
#endif

namespace factor2 {

/** A status of factor2.h, under its stable name. Take a number that has no name here as a refusal. */
enum class status : factor2_status {
    Ok = FACTOR2_OK,
    NullPointer = FACTOR2_NULL_POINTER,
    InvalidHandle = FACTOR2_INVALID_HANDLE,
    RequestTooLarge = FACTOR2_REQUEST_TOO_LARGE,
    BadRequest = FACTOR2_BAD_REQUEST,
    InvalidToken = FACTOR2_INVALID_TOKEN,
    TokenReused = FACTOR2_TOKEN_REUSED,
    Throttled = FACTOR2_THROTTLED,
    Disabled = FACTOR2_DISABLED,
    Unauthorized = FACTOR2_UNAUTHORIZED,
    InvalidKey = FACTOR2_INVALID_KEY,
    DataFormat = FACTOR2_DATA_FORMAT,
    InvalidSecret = FACTOR2_INVALID_SECRET,
    Configuration = FACTOR2_CONFIGURATION,
    StoreUnavailable = FACTOR2_STORE_UNAVAILABLE,
    UnknownError = FACTOR2_UNKNOWN_ERROR,
    OutOfMemory = FACTOR2_OUT_OF_MEMORY,
    RandomUnavailable = FACTOR2_RANDOM_UNAVAILABLE
};

/** The stable name of a status, such as "InvalidToken". Static, never NULL. */
[[nodiscard]] inline const char *status_name(status code) noexcept {
    return factor2_status_name(static_cast<factor2_status>(code));
}

/** The HTTP status that a web server would answer with, such as 401. */
[[nodiscard]] inline int status_http(status code) noexcept {
    return factor2_status_http(static_cast<factor2_status>(code));
}

namespace detail {

/* An empty view may be NULL, which is not what the library calls an empty text. */
inline const char *begin_of(std::string_view text) noexcept {
    return text.empty() ? "" : text.data();
}

/* Appends a text as a JSON string. False, and nothing is appended, if it is not UTF-8. */
[[nodiscard]] inline bool append_quoted(std::string &json, std::string_view text) {
    const std::size_t length = factor2_json_quote(begin_of(text), text.size(), nullptr, 0);
    if (length == static_cast<std::size_t>(-1))
        return false;
    const std::size_t end = json.size();
    json.resize(end + length);
    /* the NUL goes where the string has its own */
    factor2_json_quote(begin_of(text), text.size(), &json[end], length + 1);
    return true;
}

/* A request's member: a text, or what is JSON already. */
struct member {
    std::string_view name;
    std::string_view value;
    bool is_json = false;
};

/* JSON that was made here, which is wiped, because most of it holds a secret. */
class composed {
  public:
    composed(const composed &) = delete;
    composed &operator=(const composed &) = delete;
    std::string_view text() const noexcept { return text_; }

  protected:
    composed() = default;
    ~composed() {
        volatile char *const bytes = text_.data();
        for (std::size_t at = 0; at < text_.size(); ++at)
            bytes[at] = '\0';
    }
    /* For all that will be added: growing would leave a copy behind. */
    void reserve(std::size_t room) { text_.reserve(room); }
    static std::size_t room_of(std::string_view text) noexcept { return 6 * text.size() + 6; }
    void add(std::string_view json) { text_ += json; }
    void add_quoted(std::string_view text) {
        /* What is not UTF-8 goes as it is: the library refuses the whole request then, and says why. */
        if (!append_quoted(text_, text))
            text_ += text;
    }

  private:
    std::string text_;
};

class object : public composed {
  public:
    object(std::initializer_list<member> members) : object(members.begin(), members.end()) {}
    object(const member *begin, const member *end) {
        std::size_t room = 2;
        for (const member *each = begin; each != end; ++each)
            room += each->name.size() + room_of(each->value);
        reserve(room);
        for (const member *each = begin; each != end; ++each) {
            add(each == begin ? "{\"" : ",\"");
            add(each->name);
            add("\":");
            if (each->is_json)
                add(each->value);
            else
                add_quoted(each->value);
        }
        add(begin == end ? "{}" : "}");
    }
};

/* Of texts; one of them stands for itself, and none for null. */
class one_or_several : public composed {
  public:
    explicit one_or_several(const std::vector<std::string_view> &texts) {
        std::size_t room = 4;
        for (const std::string_view each : texts)
            room += room_of(each);
        reserve(room);
        const bool several = texts.size() > 1;
        for (const std::string_view each : texts) {
            if (several)
                add(text().empty() ? "[" : ",");
            add_quoted(each);
        }
        if (several || texts.empty())
            add(several ? "]" : "null");
    }
};

template <class Number> std::string array_of(const std::vector<Number> &numbers) {
    std::string json = "[";
    for (const Number number : numbers)
        json += (json.size() > 1 ? "," : "") + std::to_string(number);
    return json + "]";
}

/* One of them stands for itself. */
template <class Number> std::string one_or_array_of(const std::vector<Number> &numbers) {
    return numbers.size() == 1 ? std::to_string(numbers.front()) : array_of(numbers);
}

struct free_handle {
    void operator()(factor2_authenticator *handle) const noexcept {
        factor2_authenticator_free(handle);
    }
    void operator()(factor2_response *handle) const noexcept { factor2_response_free(handle); }
};

} // namespace detail

/** An error, with its status. what() is `NAME: MESSAGE`, and never holds a secret or a code. */
class error : public std::runtime_error {
  public:
    error(factor2::status code, const std::string &message)
        : std::runtime_error(std::string(status_name(code)) + ": " + message), status_(code) {}

    [[nodiscard]] factor2::status status() const noexcept { return status_; }

  private:
    factor2::status status_;
};

/**
 * A text as a JSON string, quotes included, for configs that are put together:
 * `authenticator(R"({"issuer":)" + factor2::quoted(name) + "}")`. Throws factor2::error, BadRequest, if it
 * is not UTF-8.
 */
[[nodiscard]] inline std::string quoted(std::string_view text) {
    std::string json;
    if (!detail::append_quoted(json, text))
        throw error(status::BadRequest, "not UTF-8");
    return json;
}

/** What diagnose() found, see factor2_diagnose(): `what` tells which of the others are there. */
struct finding {
    std::string what;
    std::optional<std::int64_t> step;
    std::optional<std::int64_t> counter;
    /** How many steps the authenticator is ahead of the server or, below 0, behind; and how long that is. */
    std::optional<std::int64_t> drift;
    std::optional<std::chrono::seconds> drift_time;
    /** How many counters it is ahead of the expected one. */
    std::optional<std::int64_t> ahead;
    std::optional<std::string> algorithm;
    std::optional<std::int64_t> digits;
    std::optional<std::chrono::seconds> period;
    std::optional<std::chrono::seconds> retry_after;
    /** The probability that a code which is wrong altogether gives such a finding. */
    std::optional<double> chance;
};

/** What an operation came to: the verdict, and the response's JSON. Wiped when it goes. */
class [[nodiscard]] response {
  public:
    response(response &&other) noexcept
        : handle_(std::move(other.handle_)),
          status_(std::exchange(other.status_, factor2::status::InvalidHandle)) {}
    response &operator=(response &&other) noexcept {
        handle_ = std::move(other.handle_);
        status_ = std::exchange(other.status_, factor2::status::InvalidHandle);
        return *this;
    }

    /** True only if it was accepted, or done. */
    [[nodiscard]] explicit operator bool() const noexcept { return status_ == factor2::status::Ok; }

    [[nodiscard]] factor2::status status() const noexcept { return status_; }

    /** The response's JSON, see factor2_response_json(). Borrowed from this object. */
    [[nodiscard]] std::string_view json() const noexcept FACTOR2_BORROWED {
        std::size_t length = 0;
        if (const char *text = factor2_response_json(handle_.get(), &length))
            return {text, length};
        return instead().json;
    }

    /** The picture of create_secret() and qr(), or nothing. Borrowed from this object. */
    [[nodiscard]] std::string_view data() const noexcept FACTOR2_BORROWED {
        std::size_t length = 0;
        const unsigned char *bytes = factor2_response_data(handle_.get(), &length);
        return {reinterpret_cast<const char *>(bytes), length};
    }

    /** What went wrong, for developers and logs; empty if nothing did. Never holds a secret or a code. */
    [[nodiscard]] std::string message() const {
        if (*this)
            return {};
        return text("error.message").value_or(instead().message);
    }

    /** After how long another code will be looked at; nothing where waiting does not help. */
    [[nodiscard]] std::optional<std::chrono::seconds> retry_after() const {
        return seconds("error.retry_after_s");
    }

    /** What diagnose() found. Throws factor2::error if it failed. */
    [[nodiscard]] std::vector<finding> findings() const {
        value();
        std::vector<finding> all;
        for (;;) {
            const std::string path = "findings." + std::to_string(all.size()) + ".";
            auto what = text((path + "what").c_str());
            if (!what)
                return all;
            finding found;
            found.what = *std::move(what);
            found.step = number(path + "step");
            found.counter = number(path + "counter");
            found.drift = number(path + "drift");
            found.drift_time = seconds(path + "drift_s");
            found.ahead = number(path + "ahead");
            found.algorithm = text((path + "algorithm").c_str());
            found.digits = number(path + "digits");
            found.period = seconds(path + "period");
            found.retry_after = seconds(path + "retry_after_s");
            if (const auto chance = text((path + "chance").c_str()))
                found.chance = fraction(*chance);
            all.push_back(std::move(found));
        }
    }

    /** The response's JSON. Borrowed from this object. Throws factor2::error if the operation failed. */
    std::string_view value() const FACTOR2_BORROWED {
        if (!*this)
            throw error(status_, message());
        return json();
    }

    /**
     * A member of the response by its path, see factor2_response_text(): `at("totpsecret")` is a string as
     * plain text, `at("step")` or `at("guard.soft")` anything else as JSON. A copy, which is yours to wipe.
     * Throws factor2::error if the operation failed, and std::out_of_range if there is no such member.
     */
    [[nodiscard]] std::string at(std::string_view path) const {
        value();
        if (auto found = text(std::string(path).c_str()))
            return *std::move(found);
        throw std::out_of_range("factor2: no such member in the response");
    }

  private:
    friend class authenticator;
    response(factor2_status code, factor2_response *handle) noexcept
        : handle_(handle), status_(static_cast<factor2::status>(code)) {}

    /* What stands for a response that the library did not give. */
    struct stand_in {
        const char *message;
        std::string_view json;
    };
    stand_in instead() const noexcept {
        switch (status_) {
        case factor2::status::InvalidHandle:
            return {
                "closed or moved from",
                R"({"error":{"code":"InvalidHandle","http_status":500,"message":"closed or moved from"}})"};
        case factor2::status::OutOfMemory:
            return {"no memory",
                    R"({"error":{"code":"OutOfMemory","http_status":500,"message":"no memory"}})"};
        default:
            return {
                "an internal error",
                R"({"error":{"code":"UnknownError","http_status":500,"message":"an internal error"}})"};
        }
    }

    std::optional<std::string> text(const char *path) const {
        std::size_t length = 0;
        const char *found = factor2_response_text(handle_.get(), path, &length);
        if (found == nullptr)
            return std::nullopt;
        return std::string(found, length);
    }

    std::optional<std::int64_t> number(const std::string &path) const {
        const auto found = text(path.c_str());
        if (!found)
            return std::nullopt;
        return std::stoll(*found);
    }

    std::optional<std::chrono::seconds> seconds(const std::string &path) const {
        const auto found = number(path);
        if (!found)
            return std::nullopt;
        return std::chrono::seconds(*found);
    }

    /* As JSON writes it, whatever the program's locale has for a point. */
    static double fraction(const std::string &json) {
        std::istringstream stream(json);
        stream.imbue(std::locale::classic());
        double found = 0;
        stream >> found;
        return found;
    }

    std::unique_ptr<factor2_response, detail::free_handle> handle_;
    factor2::status status_;
};

/** What a sealed secret is bound to: made by username() or bound_to(). */
struct owner {
    std::string_view member;
    std::string_view text;
};
/** Bound to the user's name. */
[[nodiscard]] inline owner username(std::string_view name) noexcept { return {"username", name}; }
/** Bound to a text in the name's place, a row's id for instance, which survives a rename. */
[[nodiscard]] inline owner bound_to(std::string_view bind) noexcept { return {"bind", bind}; }

/** A request of factor2_create_secret() or factor2_qr() in full. The texts are borrowed. */
struct secret_request {
    std::string_view username;
    /** The secret that exists; none, for create_secret() to make one. */
    std::optional<std::string_view> totpsecret;
    /** "totp" or "hotp". */
    std::optional<std::string_view> type;
    /** What a sealed secret is bound to in the place of the user's name. */
    std::optional<std::string_view> bind;
    /** For qr() alone. */
    std::optional<std::string_view> format;
};

/** A request of factor2_verify() in full. The texts are borrowed. */
struct verify_request {
    /** The user's stored secrets, usually one. None stands for nobody: no code is accepted then, and
        time does not tell. */
    std::vector<std::string_view> totpsecrets;
    std::string_view otp;
    std::optional<factor2::owner> owner;
    /** For the guard {"store":"none"}: the last accepted step or counter of each secret, -1 for none; or empty. */
    std::vector<std::int64_t> last_steps;
    /** How many steps the clock of each is ahead or, below 0, behind, as resync() has found; or empty. */
    std::vector<std::int64_t> drifts;
    /** See `retry` in factor2.h. It comes from the server's side, never from the user's. */
    std::optional<std::string_view> retry_key;
};

/** A request of factor2_resync() or factor2_diagnose() in full. The texts are borrowed. */
struct codes_request {
    std::string_view totpsecret;
    std::string_view otp;
    /** The code that the authenticator shows after `otp`; resync() needs it. */
    std::optional<std::string_view> next_otp;
    std::optional<factor2::owner> owner;
    /** As in verify_request. */
    std::optional<std::int64_t> last_step;
    /** The same; for diagnose() alone. */
    std::optional<std::int64_t> drift;
};

/** Settings and guard of one second factor. Make one at start, share it between threads. */
class authenticator {
  public:
    /** From settings in JSON, see factor2_authenticator_new(). Throws factor2::error. */
    explicit authenticator(std::string_view config) {
        factor2_authenticator *handle = nullptr;
        factor2_response *made = nullptr;
        const factor2_status code =
            factor2_authenticator_new(detail::begin_of(config), config.size(), &handle, &made);
        handle_.reset(handle);
        response(code, made).value();
    }

    /** Frees it before its scope ends. No other thread may be using it. */
    void close() noexcept { handle_.reset(); }

    response describe() const { return call(factor2_describe, "{}"); }

    response create_secret(std::string_view username) const {
        return ask(factor2_create_secret, {{"username", username}});
    }
    response create_secret(std::string_view username, std::string_view totpsecret) const {
        return ask(factor2_create_secret, {{"username", username}, {"totpsecret", totpsecret}});
    }
    /** Of another type, or bound to another text than the name. Of type "hotp", and without `seal`, store
        `at("uri")`. */
    response create_secret(const secret_request &request) const {
        return ask_secret(factor2_create_secret, request);
    }

    /** `format` is "png", "svg", or "text" for a terminal; data() is the picture. */
    response qr(std::string_view username, std::string_view totpsecret,
                std::string_view format = "png") const {
        return ask(factor2_qr,
                   {{"username", username}, {"totpsecret", totpsecret}, {"format", format}});
    }
    response qr(const secret_request &request) const { return ask_secret(factor2_qr, request); }

    response prepare_configuration(std::string_view username) const {
        const detail::object user{{"username", username}};
        return ask(factor2_prepare_configuration, {{"user", user.text(), true}});
    }

    /** `data` is the session's JSON text. */
    response reprepare_configuration(std::string_view username, std::string_view data) const {
        const detail::object key{{"data", data}};
        return ask(factor2_reprepare_configuration,
                   {{"username", username}, {"sessionKey", key.text(), true}});
    }

    /** True only for an accepted code; `otp` is what the user typed. */
    response verify(std::string_view totpsecret, std::string_view otp) const {
        return ask(factor2_verify, {{"totpsecret", totpsecret}, {"otp", otp}});
    }
    /** For the guard {"store":"none"}, see factor2_verify(): keep `at("step")`, or `at("counter")` of type hotp,
        before you let the user in. A `last_step` of -1 stands for none. */
    response verify(std::string_view totpsecret, std::string_view otp,
                    std::int64_t last_step) const {
        const std::string step = std::to_string(last_step);
        return ask(factor2_verify,
                   {{"totpsecret", totpsecret}, {"otp", otp}, {"last_step", step, true}});
    }

    /** With a secret that is sealed for this owner. */
    response verify(std::string_view totpsecret, std::string_view otp, const owner &of) const {
        return ask(factor2_verify, {{"totpsecret", totpsecret}, {"otp", otp}, member(of)});
    }
    /** For several authenticators, nobody, clocks that are wrong, and calls that may be repeated. */
    response verify(const verify_request &request) const {
        const detail::one_or_several secrets(request.totpsecrets);
        const std::string steps = detail::one_or_array_of(request.last_steps);
        const std::string drifts = detail::one_or_array_of(request.drifts);
        std::vector<detail::member> members{{"totpsecret", secrets.text(), true},
                                            {"otp", request.otp}};
        if (request.owner)
            members.push_back(member(*request.owner));
        if (!request.last_steps.empty())
            members.push_back({"last_step", steps, true});
        if (!request.drifts.empty())
            members.push_back({"drift", drifts, true});
        if (request.retry_key)
            members.push_back({"retry_key", *request.retry_key});
        return ask_all(factor2_verify, members);
    }

    /** True only for two codes in a row, which are used up: see factor2_resync(). Keep `at("drift")` with the user,
        for verify_request; a counter is kept by the guard. */
    response resync(std::string_view totpsecret, std::string_view otp,
                    std::string_view next_otp) const {
        return resync({totpsecret, otp, next_otp, {}, {}, {}});
    }
    response resync(const codes_request &request) const {
        return ask_codes(factor2_resync, request);
    }

    /** For the help desk: why a code is refused, as response::findings(), and `at("right")`. That it is true is no
        verdict. */
    response diagnose(std::string_view totpsecret, std::string_view otp) const {
        return diagnose({totpsecret, otp, {}, {}, {}, {}});
    }
    response diagnose(std::string_view totpsecret, std::string_view otp,
                      std::string_view next_otp) const {
        return diagnose({totpsecret, otp, next_otp, {}, {}, {}});
    }
    response diagnose(const codes_request &request) const {
        return ask_codes(factor2_diagnose, request);
    }

    /** Seals a secret of any stored form; store `at("sealed")` in its place. */
    response seal(std::string_view totpsecret, const owner &of) const {
        return ask(factor2_seal, {{"totpsecret", totpsecret}, member(of)});
    }

    /** What an otpauth URI says. */
    response read_uri(std::string_view uri) const { return ask(factor2_read_uri, {{"uri", uri}}); }

    /** What another system left behind; store `at("entries.0.sealed")` of each, or its `totpsecret`. `format` is
     * one of the header's. */
    response import_from(std::string_view format, std::string_view text) const {
        return ask(factor2_import, {{"format", format}, {"text", text}});
    }
    /** The same for a file of one user, which does not name him. */
    response import_from(std::string_view format, std::string_view text,
                         std::string_view username) const {
        return ask(factor2_import, {{"format", format}, {"text", text}, {"username", username}});
    }

    /** Show `at("codes.0")` and the others once; store `at("recovery")`. */
    response create_recovery_codes() const { return call(factor2_create_recovery_codes, "{}"); }
    response create_recovery_codes(unsigned count) const {
        const std::string number = std::to_string(count);
        return ask(factor2_create_recovery_codes, {{"count", number, true}});
    }

    /** True only for an accepted code, which is used up. std::nullopt stands for a user who has no codes. */
    response verify_recovery_code(std::optional<std::string_view> recovery,
                                  std::string_view code) const {
        return ask(factor2_verify_recovery_code, {stored(recovery), {"code", code}});
    }
    /** For the guard {"store":"none"}: `used` are the numbers that you keep; keep `at("number")` as well
        before you let the user in. */
    response verify_recovery_code(std::optional<std::string_view> recovery, std::string_view code,
                                  const std::vector<unsigned> &used) const {
        const std::string numbers = detail::array_of(used);
        return ask(factor2_verify_recovery_code,
                   {stored(recovery), {"code", code}, {"used", numbers, true}});
    }

    response inspect(std::string_view totpsecret) const {
        return ask(factor2_inspect, {{"totpsecret", totpsecret}});
    }
    response inspect(std::string_view totpsecret, const owner &of) const {
        return ask(factor2_inspect, {{"totpsecret", totpsecret}, member(of)});
    }
    response inspect_recovery_codes(std::string_view recovery) const {
        return ask(factor2_inspect, {{"recovery", recovery}});
    }

    response reset(std::string_view totpsecret) const {
        return ask(factor2_reset, {{"totpsecret", totpsecret}});
    }
    response reset(std::string_view totpsecret, const owner &of) const {
        return ask(factor2_reset, {{"totpsecret", totpsecret}, member(of)});
    }
    response reset_recovery_codes(std::string_view recovery) const {
        return ask(factor2_reset, {{"recovery", recovery}});
    }

    response generate(std::string_view totpsecret) const {
        return ask(factor2_generate, {{"totpsecret", totpsecret}});
    }
    response generate(std::string_view totpsecret, const owner &of) const {
        return ask(factor2_generate, {{"totpsecret", totpsecret}, member(of)});
    }

    /** The shape of every operation of factor2.h. */
    using operation = factor2_operation;

    /** Any operation with a request in JSON: `call(factor2_verify, request)`. */
    response call(operation function, std::string_view request) const noexcept {
        if (!handle_)
            return {FACTOR2_INVALID_HANDLE, nullptr};
        factor2_response *given = nullptr;
        const factor2_status code =
            function(handle_.get(), detail::begin_of(request), request.size(), &given);
        return {code, given};
    }

  private:
    response ask(operation function, std::initializer_list<detail::member> members) const {
        return call(function, detail::object(members).text());
    }
    response ask_all(operation function, const std::vector<detail::member> &members) const {
        const detail::object text(members.data(), members.data() + members.size());
        return call(function, text.text());
    }
    response ask_secret(operation function, const secret_request &request) const {
        std::vector<detail::member> members{{"username", request.username}};
        if (request.totpsecret)
            members.push_back({"totpsecret", *request.totpsecret});
        if (request.type)
            members.push_back({"type", *request.type});
        if (request.bind)
            members.push_back({"bind", *request.bind});
        if (request.format)
            members.push_back({"format", *request.format});
        return ask_all(function, members);
    }
    response ask_codes(operation function, const codes_request &request) const {
        const std::string step = std::to_string(request.last_step.value_or(-1));
        const std::string drift = std::to_string(request.drift.value_or(0));
        std::vector<detail::member> members{{"totpsecret", request.totpsecret},
                                            {"otp", request.otp}};
        if (request.next_otp)
            members.push_back({"next_otp", *request.next_otp});
        if (request.owner)
            members.push_back(member(*request.owner));
        if (request.last_step)
            members.push_back({"last_step", step, true});
        if (request.drift)
            members.push_back({"drift", drift, true});
        return ask_all(function, members);
    }
    static detail::member member(const owner &of) noexcept { return {of.member, of.text}; }
    static detail::member stored(std::optional<std::string_view> recovery) noexcept {
        return {"recovery", recovery.value_or("null"), !recovery};
    }

    std::unique_ptr<factor2_authenticator, detail::free_handle> handle_;
};

} // namespace factor2

#undef FACTOR2_BORROWED

#endif
