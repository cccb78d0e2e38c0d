//! A set-uid program, whose caller would like it to stop while it has the guard locked.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use factor2::Status;
use factor2::capi::{factor2_generate, factor2_verify};
use serde_json::json;

use super::machine::{Attempts, Machine, new_secret};
use crate::support::{Authenticator, count, tool};

const CALLER: &str = "65534";

/// Sends signals, as one user or another.
struct Sender {
    shell: Child,
    results: BufReader<ChildStdout>,
}

impl Sender {
    fn new(uid: &str) -> Sender {
        let script = "while read -r what; do kill -s $what 2>/dev/null; echo $?; done";
        let mut shell = tool("setpriv")
            .args(["--reuid", uid, "--clear-groups", "sh", "-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let results = BufReader::new(shell.stdout.take().unwrap());
        Sender { shell, results }
    }

    /// Whether the signal could be sent.
    fn send(&mut self, signal: &str, pid: u32) -> bool {
        let shell = self.shell.stdin.as_mut().unwrap();
        writeln!(shell, "{signal} {pid}").unwrap();
        let mut result = String::new();
        self.results.read_line(&mut result).unwrap();
        result == "0\n"
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

/// The program, run by root for another user. In a process group of its own: the terminal's signals
/// stop no group that its session has lost sight of.
fn set_uid_program(machine: &Machine) -> Attempts {
    let mut command: Command = machine.command("setpriv");
    command
        .args(["--reuid", CALLER, "--clear-groups"])
        .arg("/usr/local/bin/set-uid-attempts")
        .process_group(0);
    Attempts::start(command)
}

fn is_stopped(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit(") ").next().unwrap().starts_with('T')
}

/// Stops the program at random moments after it was given a code; gives how often it was allowed to,
/// and how often the program was stopped then.
fn stop_often(signal: &str, sender: &str, rounds: usize) -> (usize, usize) {
    let Some(machine) = Machine::new() else {
        return (rounds, rounds);
    };
    let guard = json!({"store": "sqlite", "path": machine.guard(), "create": true});
    let others = Authenticator::new(json!({"issuer": "Example", "guard": guard}));
    let mut program = set_uid_program(&machine);
    let pid = program.process.id();
    let (mut caller, mut root) = (Sender::new(sender), Sender::new("0"));
    let (mut sent, mut stopped) = (0, 0);
    for round in 0..rounds {
        let secret = machine.enroll("alice");
        let code = others.call(factor2_generate, json!({"totpsecret": secret}));
        let code = code.ok()["otp"].as_str().unwrap().to_owned();
        let random = fs::read("/proc/sys/kernel/random/uuid").unwrap();
        let random = u64::from(random[0]) * 256 + u64::from(random[1]);
        program.begin(["login", "alice", "", &code]);
        program.wait_until_asked();
        thread::sleep(Duration::from_micros(random * 4001 % 3000));
        sent += usize::from(caller.send(signal, pid));
        stopped += usize::from(is_stopped(pid));
        // Somebody else's login.
        let request = json!({"totpsecret": new_secret(), "otp": "000000"});
        let reply = others.call(factor2_verify, request);
        root.send("CONT", pid);
        assert_ne!(
            reply.status,
            Status::StoreUnavailable as i32,
            "round {round}: the guard is locked: {}",
            reply.text
        );
        // And all is as it was, when it goes on.
        let attempt = program.end();
        assert_eq!(attempt.result, 0, "round {round}: {attempt:?}");
        assert_eq!(attempt.uids, "65534:0:0", "round {round}");
    }
    (sent, stopped)
}

#[test]
fn its_caller_cannot_stop_it_while_the_guard_is_locked() {
    let rounds = count("FACTOR2_STOPS", 2000);
    let (sent, stopped) = stop_often("STOP", CALLER, rounds);
    // Before and after, the caller may.
    assert!(sent > 0 && stopped > 0, "{sent} sent, {stopped} stopped");
}

#[test]
fn a_terminal_cannot_stop_it_while_the_guard_is_locked() {
    // The kernel's ^Z asks for no rights, as root's signal does not.
    let rounds = count("FACTOR2_STOPS", 2000);
    let (sent, stopped) = stop_often("TSTP", "0", rounds);
    assert!(
        sent == rounds && stopped > 0,
        "{sent} sent, {stopped} stopped"
    );
}
