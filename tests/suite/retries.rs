//! The same request twice, with every store.

use std::sync::Barrier;
use std::thread;

use factor2::Status;
use factor2::capi::factor2_verify;
use serde_json::{Value, json};

use crate::clock;
use crate::crowd::{Crowd, call, count};
use crate::people::{NOW, code_at, inspect, reset, secret, verify, wrong_code_at};
use crate::stores::{Service, Store, until_available};
use crate::support::{self, Authenticator, Reply};

const LIMIT: usize = 3;

fn open(store: &Store) -> Authenticator {
    store.open_with(json!({"retry": {"ttl_s": 30, "limit": LIMIT}}))
}

/// The code that the user's app shows at [`NOW`], for the session with this key.
fn request(user: usize, key: &str) -> Value {
    json!({"totpsecret": secret(user), "otp": code_at(user, NOW), "retry_key": key})
}

fn try_with(authenticator: &Authenticator, user: usize, key: &str) -> Reply {
    authenticator.call(factor2_verify, request(user, key))
}

#[track_caller]
fn assert_repeated(reply: &Reply, first: &Value) {
    let mut expected = first.clone();
    expected["repeated"] = json!(true);
    assert_eq!(reply.ok(), expected);
}

#[track_caller]
fn assert_status(reply: &Reply, status: Status) {
    assert_eq!(reply.status, status as i32, "{}", reply.text);
}

#[test]
fn the_settings_have_limits() {
    let try_new = |retry: Value| {
        let guard = json!({"store": "memory", "retry": retry});
        Authenticator::try_new(
            json!({"issuer": "Test", "guard": guard})
                .to_string()
                .as_bytes(),
        )
    };
    for wrong in [
        json!(null),
        json!(true),
        json!([]),
        json!({"ttl_s": 0}),
        json!({"ttl_s": 3601}),
        json!({"limit": 0}),
        json!({"limit": 101}),
        json!({"limit": "5"}),
        json!({"ttl": 30}),
    ] {
        let Err(reply) = try_new(wrong.clone()) else {
            panic!("{wrong} is accepted");
        };
        let message = reply.refused(Status::Configuration);
        assert!(message.starts_with("config.guard.retry"), "{message}");
    }
    let described = |retry: Value| {
        let authenticator = try_new(retry).ok().unwrap();
        authenticator
            .call(factor2::capi::factor2_describe, json!({}))
            .ok()["guard"]["retry"]
            .clone()
    };
    for (settings, shown) in [
        (json!({}), json!({"ttl_s": 30, "limit": 5})),
        (
            json!({"ttl_s": 1, "limit": 1}),
            json!({"ttl_s": 1, "limit": 1}),
        ),
        (
            json!({"ttl_s": 3600, "limit": 100}),
            json!({"ttl_s": 3600, "limit": 100}),
        ),
    ] {
        assert_eq!(described(settings), shown);
    }
    let none = json!({"issuer": "Test", "guard": {"store": "none", "retry": {}}});
    let Err(reply) = Authenticator::try_new(none.to_string().as_bytes()) else {
        panic!("\"none\" repeats nothing");
    };
    reply.refused(Status::Configuration);
}

#[test]
fn without_the_setting_no_request_may_have_a_key() {
    clock::stand_at(NOW);
    let mut authenticators: Vec<Authenticator> = Store::all().iter().map(Store::open).collect();
    let none = json!({"issuer": "Test", "guard": {"store": "none"}});
    authenticators.push(Authenticator::new(none));
    for authenticator in &authenticators {
        let message = try_with(authenticator, 1, "session").refused(Status::BadRequest);
        assert!(message.contains("config.guard.retry"), "{message}");
    }
}

#[test]
fn a_key_has_1_to_255_bytes() {
    clock::stand_at(NOW);
    let authenticator = open(&Store::Memory);
    for wrong in [
        json!(""),
        json!("x".repeat(256)),
        json!("\u{e4}".repeat(128)),
        json!(null),
        json!(7),
        json!(["x"]),
    ] {
        let mut request = request(1, "x");
        request["retry_key"] = wrong;
        let message = authenticator
            .call(factor2_verify, request)
            .refused(Status::BadRequest);
        assert!(message.starts_with("request.retry_key"), "{message}");
    }
    for (user, key) in ["x".to_owned(), "x".repeat(255), "\u{0}".to_owned()]
        .iter()
        .enumerate()
    {
        let first = try_with(&authenticator, user, key).ok();
        assert_repeated(&try_with(&authenticator, user, key), &first);
    }
}

#[test]
fn the_same_request_gets_the_same_answer_so_often_and_no_longer() {
    for store in Store::all() {
        let mut service = Service::new(&store, json!({"retry": {"ttl_s": 30, "limit": LIMIT}}));
        let authenticator = service.at(NOW + 30);
        let first = try_with(authenticator, 1, "session").ok();
        assert_eq!(
            first,
            json!({"accepted": true, "step": NOW / 30, "drift": -1})
        );
        // The drift is that of then, and the code may be out of the window by now.
        for later in [0, 29, 30] {
            let authenticator = service.at(NOW + 30 + later);
            assert_repeated(&try_with(authenticator, 1, "session"), &first);
        }
        let authenticator = service.at(NOW + 60);
        try_with(authenticator, 1, "session").refused(Status::TokenReused);
        assert_eq!(inspect(authenticator, 1)["failures"], 0);
    }
}

#[test]
fn another_key_another_code_or_too_late_is_as_without() {
    for store in Store::all() {
        let mut service = Service::new(&store, json!({"retry": {"ttl_s": 30, "limit": LIMIT}}));
        let authenticator = service.at(NOW);
        let first = try_with(authenticator, 1, "session").ok();
        for other in ["Session", "session ", "sessio", "x"] {
            try_with(authenticator, 1, other).refused(Status::TokenReused);
        }
        verify(authenticator, 1, &code_at(1, NOW)).refused(Status::TokenReused);
        let with = |authenticator: &Authenticator, otp: String| {
            let request = json!({"totpsecret": secret(1), "otp": otp, "retry_key": "session"});
            authenticator.call(factor2_verify, request)
        };
        with(authenticator, wrong_code_at(1, NOW)).refused(Status::InvalidToken);
        with(authenticator, code_at(1, NOW - 30)).refused(Status::TokenReused);
        assert_eq!(inspect(authenticator, 1)["failures"], 1);
        // None of them has used the repeats up, or the time.
        assert_repeated(&try_with(authenticator, 1, "session"), &first);
        for late in [NOW + 31, NOW + 86_400, NOW - 31, NOW - 86_400] {
            let authenticator = service.at(late);
            try_with(authenticator, 1, "session").refused(Status::TokenReused);
        }
        // A clock that was set back by less.
        let authenticator = service.at(NOW - 30);
        assert_repeated(&try_with(authenticator, 1, "session"), &first);
        // The next code is the last one now, with its own key or with none.
        let authenticator = service.at(NOW);
        let next = with(authenticator, code_at(1, NOW + 30)).ok();
        try_with(authenticator, 1, "session").refused(Status::TokenReused);
        assert_repeated(&with(authenticator, code_at(1, NOW + 30)), &next);
        let authenticator = service.at(NOW + 30);
        verify(authenticator, 1, &code_at(1, NOW + 60)).ok();
        with(authenticator, code_at(1, NOW + 60)).refused(Status::TokenReused);
    }
}

#[test]
fn locked_or_disabled_repeats_nothing_and_a_reset_forgets_no_request() {
    for store in Store::all() {
        let mut service = Service::new(
            &store,
            json!({"soft": 2, "hard": 3, "retry": {"ttl_s": 60, "limit": LIMIT}}),
        );
        let authenticator = service.at(NOW);
        let first = try_with(authenticator, 1, "session").ok();
        let wrong = wrong_code_at(1, NOW);
        for _ in 0..2 {
            assert_status(&verify(authenticator, 1, &wrong), Status::InvalidToken);
        }
        assert_status(&try_with(authenticator, 1, "session"), Status::Throttled);
        let authenticator = service.at(NOW + 30);
        assert_repeated(&try_with(authenticator, 1, "session"), &first);
        assert_eq!(inspect(authenticator, 1)["failures"], 2, "it is no success");
        verify(authenticator, 1, &wrong_code_at(1, NOW + 30)).refused(Status::Disabled);
        try_with(authenticator, 1, "session").refused(Status::Disabled);
        reset(authenticator, 1);
        assert_repeated(&try_with(authenticator, 1, "session"), &first);
        assert_repeated(&try_with(authenticator, 1, "session"), &first);
        try_with(authenticator, 1, "session").refused(Status::TokenReused);
    }
}

#[test]
fn each_of_several_authenticators_has_its_own_last_request() {
    for store in Store::all() {
        let mut service = Service::new(&store, json!({"retry": {"ttl_s": 30, "limit": LIMIT}}));
        let authenticator = service.at(NOW);
        let both = [secret(1), secret(2)];
        let with = |authenticator: &Authenticator, user: usize, key: &str| {
            let request = json!({"totpsecret": both, "otp": code_at(user, NOW), "retry_key": key});
            authenticator.call(factor2_verify, request)
        };
        let (one, other) = (
            with(authenticator, 1, "a").ok(),
            with(authenticator, 2, "b").ok(),
        );
        assert_eq!((&one["index"], &other["index"]), (&json!(0), &json!(1)));
        let authenticator = service.at(NOW + 30);
        assert_repeated(&with(authenticator, 1, "a"), &one);
        assert_repeated(&with(authenticator, 2, "b"), &other);
        with(authenticator, 1, "b").refused(Status::TokenReused);
        with(authenticator, 2, "a").refused(Status::TokenReused);
        for user in [1, 2] {
            assert_eq!(inspect(authenticator, user)["failures"], 0);
        }
    }
}

const MANY: usize = 32;

/// `FACTOR2_RACE_ROUNDS` asks for more.
fn rounds() -> usize {
    support::count("FACTOR2_RACE_ROUNDS", 200) / 20
}

#[track_caller]
fn assert_one_accepted_and_some_repeated(answers: &[Value]) {
    let of = |verdict| count(answers, verdict);
    let counts = (of("Ok"), of("repeated"), of("TokenReused"));
    assert_eq!(counts, (1, LIMIT, MANY - 1 - LIMIT), "{answers:?}");
}

#[test]
fn of_32_processes_with_one_key_and_one_code_as_many_are_repeated_as_the_limit_says() {
    for store in Store::shared() {
        let of_round = |user| call(request(user, "session"), NOW);
        let calls: Vec<Value> = (0..rounds()).map(of_round).collect();
        let config =
            store.config(json!({"budget_ms": 5000, "retry": {"ttl_s": 30, "limit": LIMIT}}));
        let mut crowd = Crowd::start(&config, &vec![calls; MANY]);
        for _ in 0..rounds() {
            assert_one_accepted_and_some_repeated(&crowd.call_at_once());
        }
    }
}

#[test]
fn of_32_processes_with_keys_of_their_own_one_gets_in() {
    for store in Store::shared() {
        let list = |process| {
            let key = format!("session {process}");
            (0..rounds())
                .map(|user| call(request(user, &key), NOW))
                .collect()
        };
        let lists: Vec<Vec<Value>> = (0..MANY).map(list).collect();
        let config = store.config(json!({"budget_ms": 5000, "retry": {}}));
        let mut crowd = Crowd::start(&config, &lists);
        for _ in 0..rounds() {
            let answers = crowd.call_at_once();
            let counts = (count(&answers, "Ok"), count(&answers, "TokenReused"));
            assert_eq!(counts, (1, MANY - 1), "{answers:?}");
        }
    }
}

#[test]
fn of_32_threads_with_one_key_and_one_code_as_many_are_repeated_as_the_limit_says() {
    for store in Store::all() {
        let authenticator = &open(&store);
        for user in 0..rounds() {
            let (request, start) = (&request(user, "session"), &Barrier::new(MANY));
            let contestant = || {
                clock::stand_at(NOW);
                start.wait();
                let call = || authenticator.call(factor2_verify, request.clone());
                let reply = until_available(call);
                serde_json::from_str(&reply.text).unwrap()
            };
            let answers: Vec<Value> = thread::scope(|scope| {
                let threads: Vec<_> = (0..MANY).map(|_| scope.spawn(contestant)).collect();
                threads.into_iter().map(|one| one.join().unwrap()).collect()
            });
            assert_one_accepted_and_some_repeated(&answers);
        }
    }
}

/// The library asks once more when an answer was lost; that is the same repeat.
#[cfg(feature = "redis")]
#[test]
fn a_repeated_answer_that_was_lost_is_given_once_more_and_counted_once() {
    use crate::guard_redis::{
        proxy::{Mode, Proxy},
        server::Server,
    };

    clock::stand_at(NOW);
    let server = Server::start(&[]);
    let proxy = Proxy::before(server.socket());
    let guard =
        json!({"store": "redis", "url": proxy.url(), "retry": {"ttl_s": 30, "limit": LIMIT}});
    let authenticator =
        Authenticator::new(json!({"issuer": "Test", "guard": guard, "fixed_time": NOW}));
    // The script must be known, or the lost reply would be that it is not.
    inspect(&authenticator, 1);
    for user in 1..=5 {
        proxy.set(Mode::LoseReplies(1));
        let first = try_with(&authenticator, user, "session").ok();
        assert_eq!(first.get("repeated"), None, "it was lost, and not repeated");
        for _ in 0..LIMIT {
            proxy.set(Mode::LoseReplies(1));
            let answered = proxy.answered();
            assert_repeated(&try_with(&authenticator, user, "session"), &first);
            assert!(proxy.answered() >= answered + 2, "nothing was lost");
        }
        proxy.set(Mode::LoseReplies(1));
        try_with(&authenticator, user, "session").refused(Status::TokenReused);
        proxy.set(Mode::Pass);
    }
}
