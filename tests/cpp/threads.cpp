/* One authenticator for many threads: of those who have the same code at the same time, one gets in. */
#include "factor2.hpp"

#include "../c/check.h"

#include <atomic>
#include <thread>
#include <vector>

namespace {

constexpr const char *SECRET = "GUTCCIS2GHGBRKVLPSQV2ZTZNSHSXG3Q";
constexpr int THREADS = 16;

template <class Work> void together(Work work) {
    std::atomic<int> waiting{THREADS};
    std::vector<std::thread> threads;
    for (int number = 0; number < THREADS; ++number)
        threads.emplace_back([&, number] {
            for (--waiting; waiting > 0;)
                std::this_thread::yield();
            work(number);
        });
    for (std::thread &thread : threads)
        thread.join();
}

TEST one_code_lets_one_in() {
    for (int round = 0; round < rounds(100, 5); ++round) {
        const factor2::authenticator guard(R"({"issuer":"Example","fixed_time":1800000000})");
        std::atomic<int> accepted{0}, reused{0};
        together([&](int) {
            const auto verdict = guard.verify(SECRET, "967967");
            accepted += verdict ? 1 : 0;
            reused += verdict.status() == factor2::status::TokenReused ? 1 : 0;
        });
        CHECK(accepted == 1 && reused == THREADS - 1);
    }
}

TEST every_thread_gets_its_own_response() {
    const factor2::authenticator guard(R"({"issuer":"Example","guard":{"store":"none"}})");
    together([&](int number) {
        for (int round = 0; round < rounds(50, 5); ++round) {
            const std::string name = "user" + std::to_string(number);
            const auto made = guard.create_secret(name);
            CHECK(made.at("username") == name);
            CHECK(guard.generate(made.at("totpsecret")).at("otp").size() == 6);
            CHECK(guard.verify(SECRET, name).status() == factor2::status::InvalidToken);
        }
    });
}

TEST responses_may_go_to_another_thread() {
    factor2::authenticator guard(R"({"issuer":"Example"})");
    auto made = guard.create_secret("bob");
    std::thread([guard = std::move(guard), made = std::move(made)] {
        CHECK(guard.qr("bob", made.at("totpsecret")));
    }).join();
}

} // namespace

int main() {
    RUN(one_code_lets_one_in);
    RUN(every_thread_gets_its_own_response);
    RUN(responses_may_go_to_another_thread);
    return 0;
}
