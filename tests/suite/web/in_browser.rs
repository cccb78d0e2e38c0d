//! The whole way in a browser, by keyboard alone; the QR code is read off the screen.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::browser::{Browser, ENTER, TAB};
use super::program::Server;
use super::visitor::{PASSWORD, between, code, wrong_code};
use crate::support::{root, run, scratch, tool};

/// The size of README's picture.
const WIDTH: u32 = 520;
const HEIGHT: u32 = 910;

/// Every text against what is behind it (WCAG 2.2, 1.4.3). Gives those with too little contrast.
const CONTRAST: &str = r"
const channels = c => c.match(/[\d.]+/g).map(Number);
const luminance = c => channels(c).slice(0, 3)
    .map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const behind = e => {
    for (; e; e = e.parentElement) {
        const c = getComputedStyle(e).backgroundColor;
        if ((channels(c)[3] ?? 1) === 1) return c;
    }
    return 'rgb(255, 255, 255)';
};
const texts = [...document.querySelectorAll('body *')].filter(e => e.tagName === 'INPUT'
    || [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()));
if (texts.length < 4) return ['too few texts'];
return texts.map(e => {
    const [a, b] = [luminance(getComputedStyle(e).color), luminance(behind(e))].sort((x, y) => y - x);
    return [e.tagName, (a + 0.05) / (b + 0.05)];
}).filter(([, ratio]) => ratio < 4.5);
";

/// What is to be seen on every page: it fits the narrowest screens, and can be read in both schemes.
#[track_caller]
fn check_page(browser: &Browser, title: &str) {
    assert_eq!(
        browser.script("return document.title"),
        format!("{title} - factor2 demo")
    );
    assert_eq!(browser.script("return document.documentElement.lang"), "en");
    browser.resize(320, 600);
    let width =
        "const e = document.documentElement; return [innerWidth, e.scrollWidth <= e.clientWidth]";
    assert_eq!(browser.script(width), json!([320, true]), "{title}");
    browser.resize(WIDTH, HEIGHT);
    for (scheme, ground) in [("dark", "rgb(18, 21, 26)"), ("light", "rgb(238, 241, 245)")] {
        browser.prefer(scheme);
        let seen = browser.script("return getComputedStyle(document.body).backgroundColor");
        assert_eq!(seen, ground, "{title}, {scheme}");
        assert_eq!(
            browser.script(CONTRAST),
            json!([]),
            "contrast: {title}, {scheme}"
        );
    }
}

/// Where the keyboard is: the element's id or text; its focus must be visible.
#[track_caller]
fn focus(browser: &Browser) -> String {
    let outline = browser.script("return getComputedStyle(document.activeElement).outlineWidth");
    assert_eq!(outline, "3px");
    let here = "const e = document.activeElement; return e.id || e.textContent";
    browser.script(here).as_str().unwrap().to_owned()
}

/// The secret, from the QR code on the screen.
fn scan(picture: &Path) -> String {
    let output = run(tool("zbarimg").args(["--quiet", "--raw"]).arg(picture));
    let uri = String::from_utf8(output.stdout).unwrap();
    let start = "otpauth://totp/factor2%20demo:alice%40example.com?secret=";
    assert!(uri.starts_with(start), "{uri}");
    between(&uri, "secret=", "&").unwrap().to_owned()
}

#[track_caller]
fn alert(browser: &Browser) -> String {
    let text = browser.script("return document.querySelector('[role=alert]').textContent");
    assert_eq!(browser.spoken("[role=alert]").0, "alert");
    text.as_str().unwrap().to_owned()
}

/// Gives name and password, as far as the page that asks for the code.
fn log_in_by_password(browser: &Browser) {
    assert_eq!(focus(browser), "name");
    browser.submit(&format!("alice@example.com{TAB}{PASSWORD}"));
    assert!(browser.address().ends_with("/code"));
    assert_eq!(focus(browser), "code");
}

/// Downloads the recovery codes, looks at them on paper, and says that they are saved.
fn save_codes(browser: &Browser, folder: &Path) -> Vec<String> {
    check_page(browser, "Save your recovery codes");
    browser.screenshot(&folder.join("recovery-codes.png"));
    let list = "return [...document.querySelectorAll('.codes li')].map(e => e.textContent)";
    let codes: Vec<String> = serde_json::from_value(browser.script(list)).unwrap();
    assert_eq!(codes.len(), 10);
    assert_eq!(browser.spoken(".codes").0, "list");

    browser.press(&TAB.to_string());
    assert_eq!(focus(browser), "Download them");
    let downloads = scratch("downloads");
    browser.download_to(&downloads);
    browser.press(&ENTER.to_string());
    let file = downloads.join("factor2-recovery-codes.txt");
    let late = Instant::now() + Duration::from_secs(30);
    while !fs::read_to_string(&file).is_ok_and(|text| text.ends_with(&format!("{}\n", codes[9]))) {
        assert!(Instant::now() < late, "nothing was downloaded");
        thread::sleep(Duration::from_millis(20));
    }
    let saved = fs::read_to_string(&file).unwrap();
    assert!(codes.iter().all(|code| saved.contains(code)), "{saved}");

    browser.show_print(true);
    let printed = browser.script("return document.body.innerText");
    let printed = printed.as_str().unwrap();
    assert!(codes.iter().all(|code| printed.contains(code)), "{printed}");
    assert!(!printed.contains("Continue"), "{printed}");
    browser.show_print(false);

    browser.press(&TAB.to_string());
    assert_eq!(focus(browser), "saved");
    let (role, name) = browser.spoken("#saved");
    assert_eq!(
        (role.as_str(), name.as_str()),
        ("checkbox", "I have saved these codes")
    );
    browser.press(&format!(" {TAB}"));
    assert_eq!(focus(browser), "Continue");
    browser.submit("");
    codes
}

/// Is in by a recovery code, is told so, and makes new ones.
fn lose_the_phone(browser: &Browser, code: &str) {
    log_in_by_password(browser);
    browser.press(&format!("{TAB}{TAB}"));
    assert_eq!(focus(browser), "I lost my phone");
    browser.submit("");
    check_page(browser, "Use a recovery code");
    assert_eq!(focus(browser), "recovery");
    assert_eq!(browser.spoken("#recovery").1, "Recovery code");
    browser.submit("nothing");
    assert_eq!(
        alert(browser),
        "A recovery code has 24 letters and digits, in groups of four."
    );
    browser.submit(code);
    check_page(browser, "You are logged in");
    let text = browser.script("return document.body.textContent");
    let text = text.as_str().unwrap();
    assert!(text.contains("You have 9 recovery codes left"), "{text}");
    browser.press(&format!("{TAB}{TAB}"));
    assert_eq!(focus(browser), "Make new recovery codes");
    browser.submit("");
    check_page(browser, "Save your recovery codes");
    browser.press(&format!("{0}{0} {0}", TAB));
    assert_eq!(focus(browser), "Continue");
    browser.submit("");
    let text = browser.script("return document.body.textContent");
    assert!(
        text.as_str()
            .unwrap()
            .contains("You have 10 recovery codes left"),
        "{text}"
    );
    browser.press(&TAB.to_string());
    browser.submit("");
}

#[test]
fn the_whole_way_by_keyboard() {
    let server = Server::start();
    let browser = Browser::start();
    let folder = scratch("screenshots");
    browser.resize(WIDTH, HEIGHT);

    // Sign up.
    browser.open(&format!("http://127.0.0.1:{}/signup", server.port));
    check_page(&browser, "Sign up");
    assert_eq!(
        browser.spoken("#name"),
        ("textbox".into(), "User name".into())
    );
    assert_eq!(browser.spoken("#password").1, "Password");
    assert_eq!(focus(&browser), "name");
    browser.press(&format!("alice@example.com{TAB}"));
    assert_eq!(focus(&browser), "password");
    browser.submit(PASSWORD);

    // Scan, in both schemes and on a narrow screen.
    check_page(&browser, "Set up your second factor");
    let mut secrets = Vec::new();
    for (scheme, width) in [
        ("light", WIDTH),
        ("dark", WIDTH),
        ("light", 320),
        ("dark", 320),
    ] {
        browser.prefer(scheme);
        browser.resize(width, HEIGHT);
        let picture = folder.join(format!("{scheme}-{width}.png"));
        browser.screenshot(&picture);
        secrets.push(scan(&picture));
    }
    browser.resize(WIDTH, HEIGHT);
    let secret = secrets[0].clone();
    assert!(secrets.iter().all(|other| *other == secret));
    let shown = browser.script("return document.querySelector('.secret').textContent");
    assert_eq!(shown, secret.as_str());
    if std::env::var_os("FACTOR2_BLESS").is_some() {
        bless(&folder.join(format!("light-{WIDTH}.png")));
    }

    // Confirm.
    assert_eq!(
        browser.spoken("#code"),
        ("textbox".into(), "Code from the app".into())
    );
    let hints = "const e = document.getElementById('code'); return [e.autocomplete, e.inputMode]";
    assert_eq!(browser.script(hints), json!(["one-time-code", "numeric"]));
    browser.press(&TAB.to_string());
    assert_eq!(focus(&browser), "Cannot scan it?");
    browser.press(&TAB.to_string());
    assert_eq!(focus(&browser), "code");
    browser.submit(&code(&secret, 0));
    let codes = save_codes(&browser, &folder);
    check_page(&browser, "Log in");
    assert_eq!(browser.spoken(".notice").0, "status");

    // Log in and out.
    log_in_by_password(&browser);
    check_page(&browser, "Enter your code");
    let next = code(&secret, 1);
    browser.submit(&format!("{} {}", &next[..3], &next[3..]));
    check_page(&browser, "You are logged in");
    let cookies = browser.script("return document.cookie");
    assert_eq!(cookies, "", "no script can read the cookie");
    browser.press(&TAB.to_string());
    assert_eq!(focus(&browser), "Log out");
    browser.submit("");
    assert!(browser.address().ends_with("/login"));
    lose_the_phone(&browser, &codes[7]);

    // The used code is refused, and so is guessing.
    log_in_by_password(&browser);
    browser.submit(&next);
    let text = alert(&browser);
    assert!(text.contains("Each code works once"), "{text}");
    check_page(&browser, "Error: Enter your code");
    let wrong = wrong_code(&secret);
    for _ in 0..5 {
        assert_eq!(focus(&browser), "code");
        browser.submit(&wrong);
    }
    let text = alert(&browser);
    let wait = between(&text, "The next one can be tried in ", " second").unwrap();
    assert!((1..=30).contains(&wait.parse::<u32>().unwrap()), "{text}");
    browser.prefer("dark");
    browser.screenshot(&folder.join("throttled.png"));

    let complaints = browser.complaints().to_string();
    assert!(
        !complaints.contains("Content Security Policy"),
        "{complaints}"
    );
    server.stop("TERM");
}

/// README's picture: few colours, so that it is small.
fn bless(picture: &Path) {
    let path = root().join("examples-c/web-login.png");
    fs::copy(picture, &path).unwrap();
    run(tool("optipng").args(["-quiet", "-strip", "all"]).arg(path));
}

#[test]
fn its_picture_is_modest_and_can_be_scanned() {
    let path = root().join("examples-c/web-login.png");
    assert!(fs::metadata(&path).unwrap().len() <= 60 * 1024);
    scan(&path);
}
