//! Codes: the published ones, a second implementation's, oathtool's, and the ends of time.

use std::thread;

use factor2::Status;
use factor2::capi::{factor2_generate, factor2_verify};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng};
use serde_json::{Value, json};

use crate::oracles::{random, second_implementation, vectors};
use crate::support::{Authenticator, Reply, run, tool, warned};

/// A secret, and what the two sides agree on besides it.
#[derive(Clone, Debug)]
struct Credential {
    secret: String,
    algorithm: String,
    digits: u64,
    period: u64,
}

impl Credential {
    fn published(row: &Value) -> Credential {
        Credential {
            secret: row["secret"].as_str().unwrap().to_owned(),
            algorithm: row["algorithm"].as_str().unwrap().to_owned(),
            digits: row["digits"].as_u64().unwrap(),
            period: row["period"].as_u64().unwrap_or(30),
        }
    }

    fn any(random: &mut TestRng) -> Credential {
        let mut bytes = vec![0; random.random_range(10..=64)];
        random.fill_bytes(&mut bytes);
        Credential {
            secret: data_encoding::BASE32_NOPAD.encode(&bytes),
            algorithm: ["SHA1", "SHA256", "SHA512"][random.random_range(0..3)].to_owned(),
            digits: random.random_range(6..=8),
            period: random.random_range(15..=120),
        }
    }

    /// An authenticator whose clock shows `time`.
    fn at(&self, time: u64, window: Window) -> Authenticator {
        // Put together as text, for a million of them are made.
        let config = format!(
            r#"{{"issuer":"Example","guard":{{"store":"none"}},"fixed_time":{time},
            "algorithm":"{}","digits":{},"period":{},"window":{{"past":{},"future":{}}}}}"#,
            self.algorithm, self.digits, self.period, window.past, window.future
        );
        Authenticator::try_new(config.as_bytes())
            .unwrap_or_else(|reply| panic!("{config}: {}", reply.text))
    }

    fn generate(&self, time: u64) -> Value {
        let request = json!({"totpsecret": self.secret});
        self.at(time, ONE_STEP).call(factor2_generate, request).ok()
    }

    fn verify(&self, authenticator: &Authenticator, code: &str) -> Reply {
        let request = json!({"totpsecret": self.secret, "otp": code});
        authenticator.call(factor2_verify, request)
    }

    fn verify_after(&self, authenticator: &Authenticator, code: &str, last_step: u64) -> Reply {
        let request = json!({"totpsecret": self.secret, "otp": code, "last_step": last_step});
        authenticator.call(factor2_verify, request)
    }

    /// A question for the second implementation.
    fn question(&self, step: u64) -> String {
        let (secret, algorithm, digits) = (&self.secret, &self.algorithm, self.digits);
        format!("{secret} {algorithm} {digits} {step}")
    }
}

#[derive(Clone, Copy, Debug)]
struct Window {
    past: u64,
    future: u64,
}

const ONE_STEP: Window = Window { past: 0, future: 0 };

/// Any time, of any magnitude.
fn any_time(random: &mut TestRng) -> u64 {
    let bits: u32 = random.random_range(1..=64);
    random.next_u64() >> (64 - bits)
}

#[test]
fn published_codes() {
    let mut rows = 0;
    for row in vectors("codes.json") {
        if row["type"] != "totp" {
            continue;
        }
        let credential = Credential::published(&row);
        let (time, code) = (row["time"].as_u64().unwrap(), row["code"].as_str().unwrap());
        let generated = credential.generate(time);
        assert_eq!(generated["otp"], code, "{row}");
        assert_eq!(generated["valid_for_s"], 30 - time % 30, "{row}");
        let accepted = credential.verify(&credential.at(time, ONE_STEP), code).ok();
        assert_eq!(accepted["accepted"], true);
        assert_eq!(
            (&accepted["step"], &accepted["drift"]),
            (&json!(time / 30), &json!(0))
        );
        let is_short = credential.secret.len() == 16;
        assert_eq!(
            (warned(&generated), warned(&accepted)),
            (is_short, is_short),
            "{row}"
        );
        rows += 1;
    }
    assert_eq!(rows, 39);
}

#[test]
fn the_second_implementation_gives_the_published_codes() {
    let mut questions = Vec::new();
    let mut codes = Vec::new();
    for row in vectors("codes.json") {
        let step = match (&row["time"], &row["counter"]) {
            _ if row["type"] == "steam" => continue,
            (Value::Number(time), _) => time.as_u64().unwrap() / 30,
            (_, Value::String(counter)) => counter.parse().unwrap(),
            (_, counter) => counter.as_u64().unwrap(),
        };
        questions.push(Credential::published(&row).question(step));
        codes.push(row["code"].as_str().unwrap().to_owned());
    }
    assert_eq!(codes.len(), 52);
    assert_eq!(second_implementation("codes", &questions), codes);
}

#[test]
fn the_newest_of_two_steps_with_one_code_is_accepted() {
    let rows = vectors("codes.json");
    let shared: Vec<_> = rows
        .iter()
        .filter(|row| row["note"] == "adjacent steps share one code")
        .collect();
    let [older, newer] = shared[..] else {
        panic!("two rows")
    };
    let credential = Credential::published(newer);
    let code = newer["code"].as_str().unwrap();
    assert_eq!(older["code"], code);
    let step = newer["time"].as_u64().unwrap() / 30;
    for (current, drift) in [(step, 0), (step - 1, 1), (step + 1, -1), (step - 2, 2)] {
        let window = Window { past: 2, future: 2 };
        let authenticator = credential.at(current * 30, window);
        let accepted = credential.verify(&authenticator, code).ok();
        assert_eq!(accepted["step"], step);
        assert_eq!(accepted["drift"], drift);
        credential.verify_after(&authenticator, code, step - 1).ok();
        credential
            .verify_after(&authenticator, code, step)
            .refused(Status::TokenReused);
    }
    // Where the newer step is not yet in the window, the older one is what the code stands for.
    let authenticator = credential.at((step - 1) * 30, ONE_STEP);
    assert_eq!(
        credential.verify(&authenticator, code).ok()["step"],
        step - 1
    );
}

/// The codes around `time`, oldest first, with their steps.
struct Neighbours<'a> {
    credential: &'a Credential,
    time: u64,
    codes: Vec<(u64, String)>,
}

impl Neighbours<'_> {
    /// Asks the second implementation for the codes of two steps before to two steps after each.
    fn of(cases: &[(Credential, u64)]) -> Vec<Neighbours<'_>> {
        let steps = |(credential, time): &(Credential, u64)| {
            let current = time / credential.period;
            current.saturating_sub(2)..=current + 2
        };
        let questions: Vec<String> = cases
            .iter()
            .flat_map(|case| steps(case).map(|step| case.0.question(step)))
            .collect();
        let mut codes = second_implementation("codes", &questions).into_iter();
        let neighbours = cases.iter().map(|case| Neighbours {
            credential: &case.0,
            time: case.1,
            codes: steps(case)
                .map(|step| (step, codes.next().unwrap()))
                .collect(),
        });
        neighbours.collect()
    }

    /// Every code is accepted exactly when the window has it, as the newest step that it stands for,
    /// and not again.
    fn check(&self, window: Window) {
        let credential = self.credential;
        let current = self.time / credential.period;
        let authenticator = credential.at(self.time, window);
        for (_, code) in &self.codes {
            let matching = self.codes.iter().filter_map(|(step, other)| {
                let inside = step + window.past >= current && *step <= current + window.future;
                (inside && other == code).then_some(*step)
            });
            let context = format!("{credential:?} at {} with {window:?}: {code}", self.time);
            let reply = credential.verify(&authenticator, code);
            let Some(newest) = matching.max() else {
                reply.refused(Status::InvalidToken);
                continue;
            };
            assert_eq!(reply.status, 0, "{context}: {}", reply.text);
            let answer = reply.ok();
            assert_eq!(answer["accepted"], true, "{context}");
            assert_eq!(answer["step"], newest, "{context}");
            let drift = i128::from(newest) - i128::from(current);
            assert_eq!(
                answer["drift"].as_i64().map(i128::from),
                Some(drift),
                "{context}"
            );
            for last_step in [newest, newest + 1, i64::MAX.cast_unsigned()] {
                credential
                    .verify_after(&authenticator, code, last_step)
                    .refused(Status::TokenReused);
            }
            if let Some(before) = newest.checked_sub(1) {
                let again = credential.verify_after(&authenticator, code, before);
                assert_eq!(again.ok()["step"], newest, "{context}");
            }
        }
    }
}

#[test]
fn every_window_at_the_ends_of_time() {
    let (two_31, two_32) = (1 << 31, 1 << 32);
    let mut times = vec![
        0,
        1,
        29,
        30,
        59,
        60,
        20_000_000_000,
        i64::MAX as u64,
        u64::MAX,
    ];
    times.extend([
        two_31 - 1,
        two_31,
        two_31 + 1,
        two_32 - 1,
        two_32,
        two_32 + 1,
    ]);
    times.extend([i64::MAX as u64 + 1, u64::MAX - 1]);
    let credential = |period| Credential {
        secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP".to_owned(),
        algorithm: "SHA1".to_owned(),
        digits: 6,
        period,
    };
    let cases: Vec<_> = times
        .iter()
        .flat_map(|&time| [15, 30, 120].map(|period| (credential(period), time)))
        .collect();
    for neighbours in Neighbours::of(&cases) {
        for past in 0..=2 {
            for future in 0..=2 {
                neighbours.check(Window { past, future });
            }
        }
        let Neighbours {
            credential, time, ..
        } = neighbours;
        let left = credential.generate(time)["valid_for_s"].as_u64().unwrap();
        assert_eq!(left, credential.period - time % credential.period);
    }
}

#[test]
fn verification_agrees_with_the_second_implementation() {
    let mut random = random();
    let cases: Vec<_> = (0..5_000)
        .map(|_| (Credential::any(&mut random), any_time(&mut random)))
        .collect();
    for neighbours in Neighbours::of(&cases) {
        neighbours.check(Window {
            past: random.random_range(0..=2),
            future: random.random_range(0..=2),
        });
    }
}

#[test]
fn a_million_codes_agree_with_the_second_implementation() {
    const THREADS: usize = 2;
    const ROUNDS: usize = 10;
    const CASES: usize = 1_000_000 / THREADS / ROUNDS;
    let mut seeds = random();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            let seed: [u8; 32] = seeds.random();
            scope.spawn(move || {
                let mut random = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
                for _ in 0..ROUNDS {
                    check_codes(CASES, &mut random);
                }
            });
        }
    });
}

fn check_codes(cases: usize, random: &mut TestRng) {
    let cases: Vec<_> = (0..cases)
        .map(|_| (Credential::any(random), any_time(random)))
        .collect();
    let questions: Vec<String> = cases
        .iter()
        .map(|(credential, time)| credential.question(time / credential.period))
        .collect();
    let codes = second_implementation("codes", &questions);
    for ((credential, time), code) in cases.iter().zip(codes) {
        let authenticator = credential.at(*time, ONE_STEP);
        let secret = &credential.secret;
        let generate = format!(r#"{{"totpsecret":"{secret}"}}"#);
        let generated = authenticator.call_raw(factor2_generate, generate.as_bytes());
        let expected = format!(r#""otp":"{code}""#);
        assert!(
            generated.text.contains(&expected),
            "{credential:?} at {time}: {code}"
        );
        let verify = format!(r#"{{"totpsecret":"{secret}","otp":"{code}"}}"#);
        let verified = authenticator.call_raw(factor2_verify, verify.as_bytes());
        assert_eq!(verified.status, 0, "{credential:?} at {time}: {code}");
    }
}

#[test]
fn codes_agree_with_oathtool() {
    let mut random = random();
    for _ in 0..300 {
        let credential = Credential::any(&mut random);
        // oathtool's times are signed.
        let time = any_time(&mut random) >> 1;
        let output = run(tool("oathtool")
            .arg("--base32")
            .arg(format!("--totp={}", credential.algorithm))
            .arg(format!("--digits={}", credential.digits))
            .arg(format!("--time-step-size={}s", credential.period))
            .arg(format!("--now=@{time}"))
            .arg(&credential.secret));
        let code = String::from_utf8(output.stdout).unwrap();
        assert_eq!(
            credential.generate(time)["otp"],
            code.trim_end(),
            "{credential:?} at {time}"
        );
    }
}
