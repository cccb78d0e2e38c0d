/*
 * Runs bindings/cases.json, which is named by the argument. Every case runs twice: with each request as JSON, and
 * with the operations that take plain texts, wherever the request is one that they make.
 */
#include "factor2.hpp"

#include "../c/check.h"

#include <fstream>
#include <iostream>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

namespace {

using factor2::authenticator;
using factor2::response;
using factor2::status;
using nlohmann::json;

const std::map<std::string, status> STATUSES = {
    {"Ok", status::Ok},
    {"NullPointer", status::NullPointer},
    {"InvalidHandle", status::InvalidHandle},
    {"RequestTooLarge", status::RequestTooLarge},
    {"BadRequest", status::BadRequest},
    {"InvalidToken", status::InvalidToken},
    {"TokenReused", status::TokenReused},
    {"Throttled", status::Throttled},
    {"Disabled", status::Disabled},
    {"Unauthorized", status::Unauthorized},
    {"InvalidKey", status::InvalidKey},
    {"DataFormat", status::DataFormat},
    {"InvalidSecret", status::InvalidSecret},
    {"Configuration", status::Configuration},
    {"StoreUnavailable", status::StoreUnavailable},
    {"UnknownError", status::UnknownError},
    {"OutOfMemory", status::OutOfMemory},
    {"RandomUnavailable", status::RandomUnavailable},
};

const std::map<std::string, authenticator::operation> OPERATIONS = {
    {"describe", factor2_describe},
    {"create_secret", factor2_create_secret},
    {"qr", factor2_qr},
    {"prepare_configuration", factor2_prepare_configuration},
    {"reprepare_configuration", factor2_reprepare_configuration},
    {"verify", factor2_verify},
    {"resync", factor2_resync},
    {"diagnose", factor2_diagnose},
    {"read_uri", factor2_read_uri},
    {"seal", factor2_seal},
    {"create_recovery_codes", factor2_create_recovery_codes},
    {"verify_recovery_code", factor2_verify_recovery_code},
    {"inspect", factor2_inspect},
    {"reset", factor2_reset},
    {"generate", factor2_generate},
    {"import", factor2_import},
};

const std::map<std::string, std::string> START_OF_DATA = {
    {"", ""},
    {"png", "\x89PNG\r\n\x1a\n"},
    {"svg", "<svg "},
    {"text", "\xe2\x96\x88"},
};

std::optional<factor2::owner> owner_in(const json &request) {
    if (request.contains("bind"))
        return factor2::bound_to(request["bind"].get_ref<const std::string &>());
    if (request.contains("username"))
        return factor2::username(request["username"].get_ref<const std::string &>());
    return std::nullopt;
}

response verify_in_full(const authenticator &maker, const json &request) {
    factor2::verify_request full;
    const json &secret = request["totpsecret"];
    if (secret.is_string())
        full.totpsecrets = {secret.get_ref<const std::string &>()};
    if (secret.is_array())
        for (const json &each : secret)
            full.totpsecrets.push_back(each.get_ref<const std::string &>());
    full.otp = request["otp"].get_ref<const std::string &>();
    full.owner = owner_in(request);
    if (request.contains("last_step") && request["last_step"].is_array())
        full.last_steps = request["last_step"].get<std::vector<std::int64_t>>();
    else if (request.contains("last_step"))
        full.last_steps = {request["last_step"].get<std::int64_t>()};
    if (request.contains("drift") && request["drift"].is_array())
        full.drifts = request["drift"].get<std::vector<std::int64_t>>();
    else if (request.contains("drift"))
        full.drifts = {request["drift"].get<std::int64_t>()};
    if (request.contains("retry_key"))
        full.retry_key = request["retry_key"].get_ref<const std::string &>();
    if (secret.is_string() && full.owner && request.size() == 3)
        return maker.verify(full.totpsecrets.front(), full.otp, *full.owner);
    return maker.verify(full);
}

std::optional<std::string_view> text_in(const json &request, const char *name) {
    if (!request.contains(name))
        return std::nullopt;
    return request[name].get_ref<const std::string &>();
}

factor2::secret_request secret_in_full(const json &request) {
    factor2::secret_request full;
    full.username = request["username"].get_ref<const std::string &>();
    full.totpsecret = text_in(request, "totpsecret");
    full.type = text_in(request, "type");
    full.bind = text_in(request, "bind");
    full.format = text_in(request, "format");
    return full;
}

factor2::codes_request codes_in_full(const json &request) {
    factor2::codes_request full;
    full.totpsecret = request["totpsecret"].get_ref<const std::string &>();
    full.otp = request["otp"].get_ref<const std::string &>();
    full.next_otp = text_in(request, "next_otp");
    full.owner = owner_in(request);
    if (request.contains("last_step"))
        full.last_step = request["last_step"].get<std::int64_t>();
    if (request.contains("drift"))
        full.drift = request["drift"].get<std::int64_t>();
    return full;
}

/* The operation that takes plain texts; where it cannot make such a request, the one that takes JSON. */
response call_typed(const authenticator &maker, const std::string &call, const json &request) {
    std::set<std::string> names;
    for (const auto &[name, value] : request.items())
        names.insert(name);
    const auto has = [&](std::set<std::string> expected) { return names == expected; };
    const auto text = [&](const char *name) { return request.at(name).get<std::string>(); };

    if (call == "describe" && has({}))
        return maker.describe();
    if (call == "create_secret" && has({"username"}))
        return maker.create_secret(text("username"));
    if (call == "create_secret" && has({"username", "totpsecret"}))
        return maker.create_secret(text("username"), text("totpsecret"));
    if (call == "create_secret")
        return maker.create_secret(secret_in_full(request));
    if (call == "qr" && has({"username", "totpsecret"}))
        return maker.qr(text("username"), text("totpsecret"));
    if (call == "qr" && has({"username", "totpsecret", "format"}))
        return maker.qr(text("username"), text("totpsecret"), text("format"));
    if (call == "qr")
        return maker.qr(secret_in_full(request));
    if (call == "prepare_configuration")
        return maker.prepare_configuration(request["user"]["username"].get<std::string>());
    if (call == "reprepare_configuration" && request["sessionKey"].contains("data"))
        return maker.reprepare_configuration(text("username"),
                                             request["sessionKey"]["data"].get<std::string>());
    if (call == "verify" && !request["totpsecret"].is_string())
        return verify_in_full(maker, request);
    if (call == "verify" && has({"totpsecret", "otp"}))
        return maker.verify(text("totpsecret"), text("otp"));
    if (call == "verify" && has({"totpsecret", "otp", "last_step"}))
        return maker.verify(text("totpsecret"), text("otp"),
                            request["last_step"].get<std::int64_t>());
    if (call == "verify")
        return verify_in_full(maker, request);
    if (call == "resync" && has({"totpsecret", "otp", "next_otp"}))
        return maker.resync(text("totpsecret"), text("otp"), text("next_otp"));
    if (call == "resync")
        return maker.resync(codes_in_full(request));
    if (call == "diagnose" && has({"totpsecret", "otp"}))
        return maker.diagnose(text("totpsecret"), text("otp"));
    if (call == "diagnose" && has({"totpsecret", "otp", "next_otp"}))
        return maker.diagnose(text("totpsecret"), text("otp"), text("next_otp"));
    if (call == "diagnose")
        return maker.diagnose(codes_in_full(request));
    if (call == "read_uri")
        return maker.read_uri(text("uri"));
    if (call == "create_recovery_codes")
        return has({}) ? maker.create_recovery_codes()
                       : maker.create_recovery_codes(request["count"].get<unsigned>());
    if (call == "verify_recovery_code" && !request.contains("number")) {
        const json &stored = request["recovery"];
        const auto recovery = stored.is_null() ? std::nullopt : std::optional(text("recovery"));
        if (!request.contains("used"))
            return maker.verify_recovery_code(recovery, text("code"));
        return maker.verify_recovery_code(recovery, text("code"),
                                          request["used"].get<std::vector<unsigned>>());
    }
    if (call == "import" && has({"format", "text"}))
        return maker.import_from(text("format"), text("text"));
    if (call == "import" && has({"format", "text", "username"}))
        return maker.import_from(text("format"), text("text"), text("username"));
    if (call == "inspect" && has({"recovery"}))
        return maker.inspect_recovery_codes(text("recovery"));
    if (call == "reset" && has({"recovery"}))
        return maker.reset_recovery_codes(text("recovery"));
    if (call == "inspect" && has({"totpsecret"}))
        return maker.inspect(text("totpsecret"));
    if (call == "reset" && has({"totpsecret"}))
        return maker.reset(text("totpsecret"));
    if (call == "generate" && has({"totpsecret"}))
        return maker.generate(text("totpsecret"));
    if (const auto owner = owner_in(request)) {
        if (call == "seal")
            return maker.seal(text("totpsecret"), *owner);
        if (call == "inspect")
            return maker.inspect(text("totpsecret"), *owner);
        if (call == "reset")
            return maker.reset(text("totpsecret"), *owner);
        if (call == "generate")
            return maker.generate(text("totpsecret"), *owner);
    }
    return maker.call(OPERATIONS.at(call), request.dump());
}

response call_json(const authenticator &maker, const std::string &call, const json &request) {
    return maker.call(OPERATIONS.at(call), request.dump());
}

/* A request with every {"$repeat":[text,n]} written out. */
json spelled_out(const json &value) {
    if (!value.is_structured())
        return value;
    if (value.contains("$repeat")) {
        std::string text;
        for (int n = value["$repeat"][1]; n > 0; --n)
            text += value["$repeat"][0].get<std::string>();
        return text;
    }
    json result = value;
    for (json &each : result)
        each = spelled_out(each);
    return result;
}

bool begins(const std::string &text, const std::string &start) {
    return text.compare(0, start.size(), start) == 0;
}

bool matches(const json &found, const json &expected) {
    if (expected.is_object() && expected.contains("$prefix"))
        return found.is_string() && begins(found, expected["$prefix"]);
    if (expected.is_object() && expected.contains("$length")) {
        std::size_t length = 0;
        for (const char byte : found.get<std::string>())
            length += (byte & 0xC0) != 0x80;
        return length == expected["$length"];
    }
    if (expected.is_object()) {
        for (const auto &[name, value] : expected.items())
            if (!found.is_object() || !found.contains(name) || !matches(found[name], value))
                return false;
        return true;
    }
    if (expected.is_array()) {
        if (!found.is_array() || found.size() != expected.size())
            return false;
        for (std::size_t at = 0; at < expected.size(); ++at)
            if (!matches(found[at], expected[at]))
                return false;
        return true;
    }
    return found == expected;
}

template <class Value> void put(json &object, const char *name, const Value &value) {
    if (value)
        object[name] = *value;
}

template <>
void put(json &object, const char *name, const std::optional<std::chrono::seconds> &value) {
    if (value)
        object[name] = value->count();
}

/* As the response has them. */
json findings_of(const response &response) {
    json all = json::array();
    for (const factor2::finding &each : response.findings()) {
        json found{{"what", each.what}};
        put(found, "step", each.step);
        put(found, "counter", each.counter);
        put(found, "drift", each.drift);
        put(found, "drift_s", each.drift_time);
        put(found, "ahead", each.ahead);
        put(found, "algorithm", each.algorithm);
        put(found, "digits", each.digits);
        put(found, "period", each.period);
        put(found, "retry_after_s", each.retry_after);
        put(found, "chance", each.chance);
        all.push_back(found);
    }
    return all;
}

void check_step(const json &step, const response &response) {
    const json said = json::parse(response.json());
    if (step.contains("error")) {
        const json &expected = step["error"];
        CHECK(!response && response.status() == STATUSES.at(expected["code"]));
        CHECK(matches(said["error"], expected));
        CHECK(said["error"]["message"] == response.message());
        CHECK(said["error"]["http_status"] == factor2::status_http(response.status()));
        const auto wait = response.retry_after();
        CHECK(wait.has_value() == said["error"].contains("retry_after_s"));
        CHECK(!wait || said["error"]["retry_after_s"] == wait->count());
        return;
    }
    CHECK(response && response.status() == status::Ok && matches(said, step["response"]));
    for (const auto &[name, value] : said.items())
        CHECK(value.is_string() ? response.at(name) == value.get<std::string>()
                                : json::parse(response.at(name)) == value);
    CHECK(begins(std::string(response.data()), START_OF_DATA.at(step.value("data", ""))));
    CHECK(response.data().empty() != step.contains("data"));
    CHECK(findings_of(response) == said.value("findings", json::array()));
}

template <class Call> void run_case(const json &given, Call call) {
    const std::string config = given["config"].dump();
    if (given.contains("error")) {
        const std::string name = given["error"]["code"];
        try {
            const authenticator made(config);
        } catch (const factor2::error &error) {
            CHECK(error.status() == STATUSES.at(name) && begins(error.what(), name + ": "));
            return;
        }
        return check_failed(__FILE__, __LINE__, "it was made");
    }
    authenticator maker(config);
    if (given.value("close", false))
        maker.close();
    for (const json &step : given["steps"])
        check_step(step, call(maker, step["call"], spelled_out(step["request"])));
}

void check_statuses(const json &statuses) {
    CHECK(statuses.size() == STATUSES.size());
    for (const json &row : statuses) {
        const std::string name = row["name"];
        const status code = STATUSES.at(name);
        CHECK(static_cast<int>(code) == row["status"] && factor2::status_name(code) == name);
        CHECK(factor2::status_http(code) == row["http_status"]);
        CHECK(std::string(factor2::error(code, "why").what()) == name + ": why");
    }
}

} // namespace

int main(int argc, char **argv) {
    CHECK(argc == 2);
    std::ifstream file(argv[1]);
    const json all = json::parse(file);
    check_statuses(all["statuses"]);
    for (const json &given : all["cases"]) {
        std::cout << given["name"] << std::endl; /* the last one printed is the one that failed */
        run_case(given, call_json);
        run_case(given, call_typed);
    }
    return all["cases"].empty();
}
