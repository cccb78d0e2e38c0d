//! Redis servers of the tests: each test's own, ended with it, however it ends.

use std::ffi::OsString;
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{is_installed, run, scratch, tool};

/// Redis, or what `FACTOR2_REDIS_SERVER` names: Valkey, or another version.
pub fn program() -> Command {
    let mut command = tool(program_name());
    command.arg0("redis-server"); // what it is called decides what it does
    command
}

/// Debian's redis-tools has the server by this name, and, unlike the package redis-server, starts no service.
fn program_name() -> OsString {
    std::env::var_os("FACTOR2_REDIS_SERVER").unwrap_or("redis-check-rdb".into())
}

pub struct Server {
    process: Child,
    options: Vec<String>,
    pub folder: PathBuf,
}

impl Server {
    pub fn is_installed() -> bool {
        is_installed(program_name())
    }

    /// A server with these options beside our own, which listens on a unix socket.
    pub fn start(options: &[&str]) -> Server {
        let folder = scratch("redis");
        let own = ["--unixsocket", "socket", "--enable-debug-command", "yes"];
        let own = own.iter().chain(&["--save", "", "--port", "0"]);
        let options = own.chain(options).map(|&option| option.to_owned());
        let options: Vec<String> = options.collect();
        let process = spawn(&folder, &options);
        let mut server = Server {
            process,
            options,
            folder,
        };
        server.wait_until_it_listens();
        server
    }

    /// A server that listens on a port of the loopback interface as well.
    pub fn start_on_port(options: &[&str]) -> (Server, u16) {
        let port = free_port();
        let port_text = port.to_string();
        let options = [options, &["--port", &port_text]].concat();
        (Server::start(&options), port)
    }

    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.join("socket")
    }

    /// Waits for the socket, not for the data.
    fn wait_until_it_listens(&mut self) {
        let patience = Instant::now() + Duration::from_secs(20);
        while UnixStream::connect(self.socket()).is_err() {
            let ended = self.process.try_wait().unwrap();
            assert!(
                ended.is_none() && Instant::now() < patience,
                "{}",
                self.log()
            );
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap()
    }

    /// What a command of redis-cli prints.
    pub fn cli(&self, arguments: &[&str]) -> String {
        let mut command = tool("redis-cli");
        command.arg("-s").arg(self.socket()).args(arguments);
        let printed = run(&mut command).stdout;
        String::from_utf8(printed).unwrap().trim_end().to_owned()
    }

    /// A command that must be answered OK.
    #[track_caller]
    pub fn set(&self, arguments: &[&str]) {
        assert_eq!(self.cli(arguments), "OK", "{arguments:?}");
    }

    #[track_caller]
    pub fn configure(&self, name: &str, value: &str) {
        self.set(&["CONFIG", "SET", name, value]);
    }

    pub fn signal(&self, signal: libc::c_int) {
        let pid = self.process.id().try_into().unwrap();
        // SAFETY: our own child, which was not waited for yet.
        assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
    }

    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        // Left behind by a killed server, and then refused connections are what callers see.
        let _ = fs::remove_file(self.socket());
    }

    /// Starts it again, with more options, on the same addresses and data.
    pub fn restart(&mut self, options: &[&str]) {
        let more = options.iter().map(|&option| option.to_owned());
        let all: Vec<String> = self.options.iter().cloned().chain(more).collect();
        self.process = spawn(&self.folder, &all);
        self.wait_until_it_listens();
    }

    /// The time that it shows, in Unix seconds.
    pub fn time(&self) -> u64 {
        let time = self.cli(&["TIME"]);
        time.lines().next().unwrap().parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn(folder: &PathBuf, options: &[String]) -> Child {
    let log = File::create(folder.join("log")).unwrap();
    program()
        .args(options)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stderr(log.try_clone().unwrap())
        .stdout(log)
        .spawn()
        .unwrap()
}

/// A port that was free a moment ago, from below those that the system gives to clients.
pub fn free_port() -> u16 {
    loop {
        let random = getrandom::u32().unwrap();
        let port = 10_000 + u16::try_from(random % 20_000).unwrap();
        let is_free = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
        if is_free && TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            return port;
        }
    }
}
