//! Logins through a real sshd on loopback, by keyboard-interactive.

use std::fs::{self, Permissions};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;
use std::process::{Child, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::daemons::{self, PASSWORD, password_hash};
use super::machine::{Machine, REFUSAL, code, code_at, wrong};
use super::recovery;
use crate::support::{count, run, scratch, tool};

/// Its PAM service is called sshd, as its program is.
struct Sshd {
    machine: Machine,
    process: Child,
    port: u16,
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// From 9.8 on, sshd turns away an address after a few refusals, and all tests have the same one.
fn without_penalties() -> &'static str {
    let told = run(tool("ssh").arg("-V")).stderr;
    let told = String::from_utf8(told).unwrap();
    let version = told.strip_prefix("OpenSSH_").unwrap();
    let mut numbers = version.split(|c: char| !c.is_ascii_digit());
    let mut number = || numbers.next().unwrap().parse::<u32>().unwrap();
    match (number(), number()) {
        (9, ..8) | (..9, _) => "",
        _ => "PerSourcePenalties no\n",
    }
}

impl Sshd {
    /// Starts one whose users alice0, alice1 and so on have no secrets yet.
    /// `service` is its file in /etc/pam.d; sshd_config is README's.
    fn start(service: &str) -> Option<Sshd> {
        let machine = Machine::new()?;
        fs::write(machine.folder.join("pam.d/sshd"), service).unwrap();
        add_users(&machine);
        let key = machine.folder.join("host_key");
        run(tool("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(&key));
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let config = machine.folder.join("sshd_config");
        let settings = format!(
            "{}PubkeyAuthentication no\nMaxStartups 100\nUseDNS no\nPidFile none\nLogLevel VERBOSE\n{}",
            daemons::file("/etc/ssh/sshd_config"),
            without_penalties()
        );
        let own = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {}\n",
            key.display()
        );
        fs::write(&config, format!("{settings}{own}")).unwrap();
        assert!(
            PathBuf::from("/usr/sbin/sshd").is_file(),
            "sshd is not installed: run `make tools`"
        );
        let mut command = machine.command("/usr/sbin/sshd");
        let process = command
            .args(["-D", "-f"])
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut sshd = Sshd {
            machine,
            process,
            port,
        };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert_eq!(sshd.process.try_wait().unwrap(), None, "sshd ended");
            assert!(
                start.elapsed() < Duration::from_secs(30),
                "sshd does not answer"
            );
            thread::sleep(Duration::from_millis(20));
        }
        Some(sshd)
    }

    /// One attempt. `wait` is shell code that runs before the code is typed.
    fn ssh(&self, user: &str, code: &str, wait: &str) -> Output {
        self.ssh_with(PASSWORD, user, code, wait)
    }

    fn ssh_with(&self, password: &str, user: &str, code: &str, wait: &str) -> Output {
        self.machine.keep_quiet_about(code);
        let folder = scratch("ssh");
        let askpass = folder.join("askpass");
        let script = format!(
            "#!/bin/sh\ncase $1 in\n*Password:*) echo '{password}' ;;\n\
             *'Verification code: '*) {wait} echo '{code}' ;;\n*) exit 1 ;;\nesac\n"
        );
        fs::write(&askpass, script).unwrap();
        fs::set_permissions(&askpass, Permissions::from_mode(0o700)).unwrap();
        tool("ssh")
            .args(["-F", "none", "-o", "StrictHostKeyChecking=no"])
            .args([
                "-o",
                "UserKnownHostsFile=/dev/null",
                "-o",
                "NumberOfPasswordPrompts=1",
            ])
            .args(["-o", "PreferredAuthentications=keyboard-interactive"])
            .args(["-p", &self.port.to_string(), "-l", user, "127.0.0.1"])
            .arg("echo in as $(id -un)")
            .env("SSH_ASKPASS", &askpass)
            .env("SSH_ASKPASS_REQUIRE", "force")
            .env_remove("SSH_AUTH_SOCK")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    fn accepted(&self, user: &str, code: &str, wait: &str) -> bool {
        let output = self.ssh(user, code, wait);
        let accepted = output.stdout == format!("in as {user}\n").into_bytes();
        assert_eq!(accepted, output.status.success(), "{output:?}");
        assert!(accepted || output.stdout.is_empty(), "{output:?}");
        accepted
    }

    /// What the homes have in them.
    fn homes(&self) -> String {
        let list = run(tool("find").arg(self.machine.folder.join("home")));
        String::from_utf8(list.stdout).unwrap()
    }
}

fn add_users(machine: &Machine) {
    let hash = password_hash();
    for number in 0..USERS {
        let (user, id) = (format!("alice{number}"), 54321 + number);
        machine.account(&user, id, &hash);
        let home = machine.folder.join("home").join(user);
        fs::create_dir(&home).unwrap();
        chown(home, Some(id), Some(id)).unwrap();
    }
}

const USERS: u32 = 10;

const CODE_ALONE: &str = "auth required pam_factor2.so\n\
    account required pam_permit.so\nsession required pam_permit.so\n";

#[test]
fn a_password_and_a_code_let_in_once() {
    let Some(sshd) = Sshd::start(&daemons::file("/etc/pam.d/sshd")) else {
        return;
    };
    sshd.machine.keep_quiet_about(PASSWORD);
    let homes = sshd.homes();
    let secret = sshd.machine.enroll("alice0");
    let code = code(&secret);
    assert!(sshd.accepted("alice0", &code, ""));
    sshd.machine
        .logged("pam_factor2(sshd:auth): user 'alice0' rhost '127.0.0.1' service 'sshd': accepted");
    assert!(!sshd.accepted("alice0", &code, ""));
    sshd.machine
        .logged("user 'alice0' rhost '127.0.0.1' service 'sshd': TokenReused: ");
    assert!(!sshd.accepted("alice0", &wrong(&secret), ""));
    let next = code_at(&secret, "30 seconds");
    let other = sshd.ssh_with("wrong", "alice0", &next, "");
    assert!(!other.status.success() && other.stdout.is_empty());
    sshd.machine
        .logged("user 'alice0' rhost '127.0.0.1' service 'sshd': accepted");
    let secret = sshd.machine.enroll("alice2");
    assert!(sshd.accepted("alice2", &code_at(&secret, "now"), ""));
    assert!(!sshd.accepted("alice1", &code, ""), "she has no secret");
    sshd.machine
        .logged("user 'alice1' rhost '127.0.0.1' service 'sshd': no secret in ");
    assert_eq!(sshd.homes(), homes);
}

#[test]
fn a_password_and_a_recovery_code_let_in_once() {
    let Some(sshd) = Sshd::start(&daemons::file("/etc/pam.d/sshd")) else {
        return;
    };
    sshd.machine.enroll("alice0");
    let code = &recovery::make(&sshd.machine, "alice0")[3];
    let output = sshd.ssh("alice0", code, "");
    assert_eq!(output.stdout, b"in as alice0\n", "{output:?}");
    sshd.machine.logged(
        "pam_factor2(sshd:auth): user 'alice0' rhost '127.0.0.1' service 'sshd': \
         accepted by a recovery code (9 left)",
    );
    assert!(!sshd.accepted("alice0", code, ""));
    sshd.machine
        .logged("user 'alice0' rhost '127.0.0.1' service 'sshd': TokenReused: ");
}

#[test]
fn wrong_codes_are_throttled() {
    let Some(sshd) = Sshd::start(CODE_ALONE) else {
        return;
    };
    let secret = sshd.machine.enroll("alice0");
    for _ in 0..4 {
        assert!(!sshd.accepted("alice0", &wrong(&secret), ""));
    }
    for code in [wrong(&secret), code(&secret)] {
        assert!(!sshd.accepted("alice0", &code, ""));
    }
    // Nobody is told more than this, locked or not, with a secret or without.
    for user in ["alice0", "alice1"] {
        let said = String::from_utf8(sshd.ssh(user, "123456", "").stderr).unwrap();
        assert!(said.contains(REFUSAL), "{said}");
        assert!(!said.contains("seconds"), "{said}");
    }
    sshd.machine
        .logged("user 'alice0' rhost '127.0.0.1' service 'sshd': Throttled: ");
}

#[test]
fn two_logins_at_once_and_one_gets_in() {
    let Some(sshd) = Sshd::start(CODE_ALONE) else {
        return;
    };
    for round in 0..count("FACTOR2_RACE_ROUNDS", 5).min(USERS as usize) {
        let user = format!("alice{round}");
        let code = code(&sshd.machine.enroll(&user));
        // Both are asked first; then both type at once.
        let barrier = scratch("barrier");
        let wait = format!(
            "mktemp '{0}/ready.XXXXXX' >/dev/null; while [ ! -e '{0}/go' ]; do sleep 0.01; done;",
            barrier.display()
        );
        let accepted = thread::scope(|scope| {
            let login = || sshd.accepted(&user, &code, &wait);
            let logins = [scope.spawn(login), scope.spawn(login)];
            let start = Instant::now();
            while fs::read_dir(&barrier).unwrap().count() < 2 {
                assert!(
                    start.elapsed() < Duration::from_secs(60),
                    "nobody was asked"
                );
                thread::sleep(Duration::from_millis(5));
            }
            fs::write(barrier.join("go"), "").unwrap();
            logins.map(|login| login.join().unwrap())
        });
        assert!(accepted[0] != accepted[1], "round {round}: {accepted:?}");
    }
}
