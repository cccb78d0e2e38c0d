/*
 * enroll.c in C++: enrolls a user with a QR code, confirms by a first code, and shows what the guard is for.
 *
 *     cargo build --release
 *     c++ -std=c++17 -o enroll -Iinclude examples-c/enroll.cpp target/release/libfactor2.a -lpthread -ldl -lm
 *     ./enroll [ISSUER [USERNAME [PNG-FILE]]]
 *
 * Exits 0 if all went as it should: the right code was accepted once, and wrong ones refused.
 */
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include <sys/stat.h>

#include "factor2.hpp"

namespace {

/* The picture holds the secret, so it is nobody else's to read. */
void write_private_file(const std::string &path, std::string_view bytes) {
    umask(077);
    std::remove(path.c_str()); // an old file would keep its old permissions
    std::ofstream file(path, std::ios::binary);
    if (!file.write(bytes.data(), static_cast<std::streamsize>(bytes.size())).flush())
        throw std::runtime_error(path + ": cannot be written");
}

/* Bright white on black, whatever the terminal's colors are, because scanners want dark on light. */
void print_picture(std::string_view picture) {
    std::istringstream lines{std::string(picture)};
    for (std::string line; std::getline(lines, line);)
        std::cout << "\033[97;40m" << line << "\033[0m\n";
}

/* The one call of a login. */
factor2::status verify(const factor2::authenticator &authenticator, const std::string &secret,
                       const std::string &typed) {
    const auto verdict = authenticator.verify(secret, typed);
    if (verdict)
        std::cout << typed << ": accepted\n";
    else
        std::cout << typed << ": " << factor2::status_name(verdict.status()) << ": "
                  << verdict.message() << '\n';
    return verdict.status();
}

bool enroll(const factor2::authenticator &authenticator, const char *username, const char *path) {
    // The secret is the user's second factor: a real program stores it, encrypted.
    const auto made = authenticator.create_secret(username);
    const std::string secret = made.at("totpsecret"); // throws if nothing was made
    write_private_file(path, made.data());
    const auto drawn = authenticator.qr(username, secret, "text");
    drawn.value(); // throws if nothing was drawn
    print_picture(drawn.data());
    std::cout << "Scan it with an authenticator app (it is in " << path
              << ", too), or type in the secret:\n"
              << secret << "\n\n";

    std::string code = authenticator.generate(secret).at("otp");
    std::cout << "A phone would now show " << code
              << " (here, the library plays the phone). The server says:\n";
    if (verify(authenticator, secret, code) != factor2::status::Ok)
        return false;
    std::cout << "The same code a second time:\n";
    if (verify(authenticator, secret, code) != factor2::status::TokenReused)
        return false;
    std::cout << "Somebody guesses:\n";
    code[0] = code[0] == '9' ? '0' : static_cast<char>(code[0] + 1);
    for (int guesses = 0; guesses < 5; ++guesses)
        if (verify(authenticator, secret, code) != factor2::status::InvalidToken)
            return false;
    return verify(authenticator, secret, code) == factor2::status::Throttled;
}

} // namespace

int main(int argc, char **argv) try {
    const std::string issuer = argc > 1 ? argv[1] : "Example Shop";
    const char *username = argc > 2 ? argv[2] : "alice@example.com";
    const char *path = argc > 3 ? argv[3] : "factor2-qr.png";

    const factor2::authenticator authenticator(R"({"issuer":)" + factor2::quoted(issuer) + "}");
    return enroll(authenticator, username, path) ? EXIT_SUCCESS : EXIT_FAILURE;
} catch (const std::exception &error) { // a factor2::error says which: "Configuration: ..."
    std::cerr << error.what() << '\n';
    return EXIT_FAILURE;
}
