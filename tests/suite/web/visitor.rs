//! Somebody with a cookie and an authenticator app, but without a browser.

use std::net::Ipv4Addr;
use std::time::{SystemTime, UNIX_EPOCH};

use super::http::{Answer, request_from};
use crate::support::{run, tool};

pub const PASSWORD: &str = "correct horse";

/// Where new recovery codes are, and where to say that they are saved.
pub const CODES: &str = "/recovery-codes";
pub const SAVED: &str = "/recovery-codes/saved";

pub struct Visitor {
    from: Ipv4Addr,
    port: u16,
    /// What the server's Set-Cookie named, `session=...`.
    pub cookie: Option<String>,
    /// The token of the last form seen.
    pub csrf: String,
}

impl Visitor {
    pub fn new(port: u16) -> Visitor {
        Visitor::from(Ipv4Addr::LOCALHOST, port)
    }

    /// From another address of this machine.
    pub fn from(from: Ipv4Addr, port: u16) -> Visitor {
        Visitor {
            from,
            port,
            cookie: None,
            csrf: String::new(),
        }
    }

    /// A request with the cookie and these headers; minds what comes back.
    pub fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let cookie = self.cookie.clone();
        let mut all = headers.to_vec();
        all.extend(cookie.as_deref().map(|cookie| ("Cookie", cookie)));
        let answer = request_from(self.from, self.port, method, path, &all, body).unwrap();
        if let Some(line) = answer.header("set-cookie") {
            let cookie = line.split(';').next().unwrap();
            self.cookie = Some(cookie.to_owned()).filter(|_| !line.contains("Max-Age=0"));
        }
        if let Some(token) = between(&answer.body, "name=\"csrf\" value=\"", "\"") {
            self.csrf = token.to_owned();
        }
        answer
    }

    pub fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[], "")
    }

    /// A form with the token.
    pub fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut body = format!("csrf={}", self.csrf);
        for (name, value) in fields {
            body += &format!("&{name}={}", encoded(value));
        }
        self.send("POST", path, &[FORM], &body)
    }

    /// Sends a form, which must lead to `next`, and goes there.
    #[track_caller]
    pub fn go(&mut self, path: &str, fields: &[(&str, &str)], next: &str) -> Answer {
        let answer = self.post(path, fields);
        assert_eq!(answer.status, 303, "{answer:?}");
        assert_eq!(answer.header("location"), Some(next));
        let page = self.get(next);
        assert_eq!(page.status, 200, "{page:?}");
        page
    }

    /// Signs up as far as the QR code; gives the secret.
    #[track_caller]
    pub fn sign_up(&mut self, name: &str) -> String {
        self.get("/signup");
        let page = self.go(
            "/signup",
            &[("name", name), ("password", PASSWORD)],
            "/enroll",
        );
        let secret = shown_secret(&page.body);
        assert_eq!(secret.len(), 32, "{secret}");
        secret
    }

    /// Signs up and confirms by the current code, as far as the recovery codes. Gives the secret and them.
    #[track_caller]
    pub fn confirm(&mut self, name: &str) -> (String, Vec<String>) {
        let secret = self.sign_up(name);
        let page = self.go("/enroll", &[("code", &code(&secret, 0))], CODES);
        (secret, shown_codes(&page.body))
    }

    /// Says that the recovery codes of the enrollment are saved.
    #[track_caller]
    pub fn save(&mut self) {
        let page = self.go(SAVED, &[("saved", "yes")], "/login");
        assert!(page.body.contains("used up"), "{}", page.body);
    }

    /// The whole enrollment.
    #[track_caller]
    pub fn enroll(&mut self, name: &str) -> String {
        let (secret, _) = self.confirm(name);
        self.save();
        secret
    }

    /// Logs in as far as the code.
    #[track_caller]
    pub fn give_password(&mut self, name: &str) -> Answer {
        self.get("/login");
        self.go("/login", &[("name", name), ("password", PASSWORD)], "/code")
    }
}

pub const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

pub fn encoded(value: &str) -> String {
    value.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

pub fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    text.split_once(start)?
        .1
        .split_once(end)
        .map(|(found, _)| found)
}

/// The secret of a page that shows one.
pub fn shown_secret(page: &str) -> String {
    between(page, "<p class=\"secret\">", "</p>")
        .unwrap()
        .replace("<span>", "")
        .replace("</span>", "")
        .replace("<wbr>", "")
}

/// The recovery codes of a page that shows them.
#[track_caller]
pub fn shown_codes(page: &str) -> Vec<String> {
    let list = between(page, "<ul class=\"codes\">\n", "</ul>").unwrap();
    let items = list.lines().map(|line| between(line, "<li>", "</li>"));
    let codes: Vec<String> = items.map(|code| code.unwrap().to_owned()).collect();
    assert_eq!(codes.len(), 10, "{codes:?}");
    codes
}

/// The code some steps from now, as a phone computes it.
pub fn code(secret: &str, steps: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let then = i64::try_from(now.as_secs()).unwrap() + 30 * steps;
    let output = run(tool("oathtool")
        .args(["--totp", "--base32", "--now"])
        .arg(format!("@{then}"))
        .arg(secret));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A code that is wrong now and will be for the next minutes.
pub fn wrong_code(secret: &str) -> String {
    let right: Vec<String> = (-2..8).map(|steps| code(secret, steps)).collect();
    (0..20)
        .map(|n| format!("{n:06}"))
        .find(|code| !right.contains(code))
        .unwrap()
}
