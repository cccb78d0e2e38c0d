//! Headless Chromium, by chromedriver's WebDriver protocol.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::http::request;
use crate::support::{scratch, tool};

pub struct Browser {
    driver: Child,
    port: u16,
    session: String,
}

const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Keys of the WebDriver protocol.
pub const TAB: char = '\u{e004}';
pub const ENTER: char = '\u{e007}';

impl Browser {
    /// With a new profile, which is empty.
    pub fn start() -> Browser {
        let folder = scratch("browser");
        let mut driver = tool("chromedriver")
            .arg("--port=0")
            .env("HOME", &folder)
            .env("TMPDIR", &folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                let port = line.split_once("started successfully on port ")?.1;
                port.trim_end_matches('.').parse().ok()
            })
            .expect("chromedriver says its port");
        // What else it says must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let mut browser = Browser {
            driver,
            port,
            session: String::new(),
        };
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            &format!("--user-data-dir={}", folder.join("profile").display()),
        ];
        let options = json!({"args": arguments, "binary": chromium()});
        let session = browser.call(
            "POST",
            "/session",
            &json!({"capabilities": {"alwaysMatch": {
                "goog:chromeOptions": options,
                "goog:loggingPrefs": {"browser": "ALL"},
            }}}),
        );
        browser.session = session["sessionId"].as_str().unwrap().to_owned();
        browser
    }

    /// A command; gives its value.
    #[track_caller]
    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let path = if path == "/session" {
            path.to_owned()
        } else {
            format!("/session/{}{path}", self.session)
        };
        let headers = [("Content-Type", "application/json")];
        let answer = request(self.port, method, &path, &headers, &body.to_string()).unwrap();
        let json: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(answer.status, 200, "{path}: {json}");
        json["value"].clone()
    }

    /// A command of Chromium's own protocol.
    fn tell_chromium(&self, command: &str, parameters: Value) {
        let body = json!({"cmd": command, "params": parameters});
        self.call("POST", "/goog/cdp/execute", &body);
    }

    pub fn open(&self, address: &str) {
        self.call("POST", "/url", &json!({ "url": address }));
    }

    pub fn address(&self) -> String {
        self.call("GET", "/url", &Value::Null)
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// The value of a script's `return`.
    #[track_caller]
    pub fn script(&self, script: &str) -> Value {
        self.call(
            "POST",
            "/execute/sync",
            &json!({"script": script, "args": []}),
        )
    }

    /// Presses keys, wherever the focus is.
    #[track_caller]
    pub fn press(&self, keys: &str) {
        let actions: Vec<Value> = keys
            .chars()
            .flat_map(|key| {
                [
                    json!({"type": "keyDown", "value": key.to_string()}),
                    json!({"type": "keyUp", "value": key.to_string()}),
                ]
            })
            .collect();
        self.call(
            "POST",
            "/actions",
            &json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]}),
        );
    }

    /// Presses keys, then Enter, and waits for the page that comes of it.
    #[track_caller]
    pub fn submit(&self, keys: &str) {
        self.script("window.isOld = true");
        self.press(&format!("{keys}{ENTER}"));
        let late = Instant::now() + Duration::from_secs(30);
        while self.script("return window.isOld === true || document.readyState !== 'complete'")
            != false
        {
            assert!(Instant::now() < late, "no page came of {} keys", keys.len());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// What a screen reader says of the element: its role and its name.
    #[track_caller]
    pub fn spoken(&self, selector: &str) -> (String, String) {
        let body = json!({"using": "css selector", "value": selector});
        let element = self.call("POST", "/element", &body);
        let id = element[ELEMENT].as_str().unwrap();
        let ask = |what: &str| {
            let said = self.call("GET", &format!("/element/{id}/{what}"), &Value::Null);
            said.as_str().unwrap().to_owned()
        };
        (ask("computedrole"), ask("computedlabel"))
    }

    pub fn resize(&self, width: u32, height: u32) {
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.tell_chromium("Emulation.setDeviceMetricsOverride", size);
    }

    /// "light" or "dark", as the user's system would say.
    pub fn prefer(&self, scheme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.tell_chromium("Emulation.setEmulatedMedia", json!({"features": features}));
    }

    pub fn screenshot(&self, path: &Path) {
        let picture = self.call("GET", "/screenshot", &Value::Null);
        let bytes = BASE64_STANDARD.decode(picture.as_str().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// Where a download goes.
    pub fn download_to(&self, folder: &Path) {
        let settings = json!({"behavior": "allow", "downloadPath": folder});
        self.tell_chromium("Browser.setDownloadBehavior", settings);
    }

    /// Shows what a printer would.
    pub fn show_print(&self, is_print: bool) {
        let media = if is_print { "print" } else { "" };
        self.tell_chromium("Emulation.setEmulatedMedia", json!({ "media": media }));
    }

    /// What the browser complained about.
    pub fn complaints(&self) -> Value {
        self.call("POST", "/se/log", &json!({"type": "browser"}))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            // This ends Chromium.
            let path = format!("/session/{}", self.session);
            request(self.port, "DELETE", &path, &[], "");
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn chromium() -> String {
    let command: Command = tool("chromium");
    let name = Path::new(command.get_program());
    std::env::split_paths(&std::env::var_os("PATH").unwrap())
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
        .unwrap()
        .display()
        .to_string()
}
