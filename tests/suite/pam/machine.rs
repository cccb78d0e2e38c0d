//! A machine for logins: the installed module and program, and files of its own in the place of
//! /etc/pam.d, /etc/passwd, /etc/nsswitch.conf, /home, /var/lib, /dev/log. It is a mount namespace, which goes with the
//! command that runs in it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use crate::private_mounts::unshare;
use crate::support::{artifacts, root, run, scratch, tool};

/// Puts the files in place, then becomes the command.
const INSIDE: &str = r#"
here=$1 installed=$2
shift 2
mount --bind "$here/pam.d" /etc/pam.d
mount --bind "$here/passwd" /etc/passwd
mount --bind "$here/group" /etc/group
mount --bind "$here/shadow" /etc/shadow
mount --bind "$here/nsswitch.conf" /etc/nsswitch.conf
mount --bind "$here/home" /home
mount --bind "$here/lib" /var/lib
mount --bind "$installed/usr/local" /usr/local
mount --bind "$installed/security" "$(dirname "$(readlink -f "$(find /lib/*/security /lib/security /lib64/security -name pam_permit.so 2>/dev/null | head -n 1)")")"
mkdir -p "$here/dev"
mount --rbind /dev "$here/dev"
mount -t tmpfs -o mode=755 tmpfs /dev
for device in null zero random urandom tty; do
    touch /dev/$device
    mount --bind "$here/dev/$device" /dev/$device
done
mkdir /dev/pts
mount --rbind "$here/dev/pts" /dev/pts
ln -s pts/ptmx /dev/ptmx
ln -s /proc/self/fd /dev/fd
ln -s "$here/log" /dev/log
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -m 755 /run/sshd
exec "$@"
"#;

/// What `make install install-pam` puts under DESTDIR, and in `security` libpam's modules with ours
/// among them. Made once.
pub fn installed() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        artifacts();
        let folder = scratch("pam_installed");
        run(tool("make")
            .args(["pam", "install", "install-pam"])
            .arg(format!("DESTDIR={}", folder.display()))
            .arg("PAMDIR=/security")
            .current_dir(root()));
        let permit = run(Command::new("sh").args([
            "-c",
            "dirname \"$(find /lib/*/security /lib/security /lib64/security -name pam_permit.so 2>/dev/null | head -n 1)\"",
        ]));
        let modules = String::from_utf8(permit.stdout).unwrap();
        for name in ["permit", "deny", "unix", "nologin", "loginuid", "limits"] {
            let name = format!("pam_{name}.so");
            fs::copy(
                Path::new(modules.trim()).join(&name),
                folder.join("security").join(&name),
            )
            .unwrap();
        }
        add_test_programs(&folder.join("usr/local"));
        folder
    })
}

/// attempts.c, the same as a set-uid program, and the directory of nss_fold.c.
fn add_test_programs(local: &Path) {
    let build = |source: &str, target: &str, flags: &[&str]| {
        let target = local.join(target);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        run(tool("gcc")
            .args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-o"])
            .arg(&target)
            .arg(root().join("tests/suite/pam").join(source))
            .args(flags));
        target
    };
    build("nss_fold.c", "lib/libnss_fold.so.2", &["-shared", "-fPIC"]);
    build("attempts.c", "bin/attempts", &["-lpam"]);
    // LD_LIBRARY_PATH means nothing to a set-uid program.
    let library = "-Wl,--disable-new-dtags,-rpath,/usr/local/lib";
    let set_uid = build("attempts.c", "bin/set-uid-attempts", &["-lpam", library]);
    fs::set_permissions(set_uid, fs::Permissions::from_mode(0o4755)).unwrap();
}

/// What /etc/pam.d has on Debian for all daemons. The first line of common-auth skips the second.
const COMMON: [(&str, &str); 4] = [
    (
        "common-auth",
        "auth [success=1 default=ignore] pam_unix.so nullok nodelay\n\
         auth requisite pam_deny.so\nauth required pam_permit.so\n",
    ),
    (
        "common-account",
        "account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so\n\
         account requisite pam_deny.so\naccount required pam_permit.so\n",
    ),
    ("common-session", "session required pam_unix.so\n"),
    ("common-password", "password required pam_deny.so\n"),
];

/// What every refusal says.
pub const REFUSAL: &str = "Code not accepted. After several wrong codes, wait before the next try.";

pub struct Machine {
    pub folder: PathBuf,
    log: Arc<Mutex<String>>,
    /// What must never be in the log.
    confidential: Mutex<Vec<String>>,
}

/// How a login ended.
#[derive(Debug)]
pub struct Login {
    pub accepted: bool,
    pub said: String,
}

impl Machine {
    /// None, and a word about it, when the tests don't run as root: only root may mount.
    pub fn new() -> Option<Machine> {
        unshare()?;
        let folder = scratch("pam");
        for name in ["pam.d", "home", "lib", "lib/factor2", "lib/factor2/users"] {
            fs::create_dir(folder.join(name)).unwrap();
        }
        // The folders as `make install-pam` has made them.
        for name in ["lib/factor2", "lib/factor2/users"] {
            let made = installed().join("var").join(name);
            let permissions = fs::metadata(made).unwrap().permissions();
            assert_eq!(permissions.mode() & 0o7777, 0o700);
            fs::set_permissions(folder.join(name), permissions).unwrap();
        }
        // The tests' users come on top.
        for name in ["passwd", "group", "shadow"] {
            fs::copy(Path::new("/etc").join(name), folder.join(name)).unwrap();
        }
        fs::write(folder.join("nsswitch.conf"), "passwd: files\n").unwrap();
        for (name, lines) in COMMON {
            fs::write(folder.join("pam.d").join(name), lines).unwrap();
        }
        let machine = Machine {
            log: listen(&folder),
            folder,
            confidential: Mutex::default(),
        };
        machine.service("other", "pam_deny.so");
        machine.service("login", "pam_factor2.so");
        machine.account("alice", 54_001, "*");
        machine.account("bob", 54_002, "*");
        Some(machine)
    }

    /// Gives the machine a user, whose password has this hash.
    pub fn account(&self, user: &str, id: u32, hash: &str) {
        let append = |name: &str, line: String| {
            let file = fs::OpenOptions::new()
                .append(true)
                .open(self.folder.join(name));
            file.unwrap().write_all(line.as_bytes()).unwrap();
        };
        append(
            "passwd",
            format!("{user}:x:{id}:{id}::/home/{user}:/bin/sh\n"),
        );
        append("group", format!("{user}:x:{id}:\n"));
        append("shadow", format!("{user}:{hash}:19000:0:99999:7:::\n"));
    }

    /// A service whose one way in is this module with its options.
    pub fn service(&self, name: &str, module: &str) {
        self.service_lines(name, &format!("auth required {module}\n"));
    }

    pub fn service_lines(&self, name: &str, auth: &str) {
        let rest = "account required pam_permit.so\nsession required pam_permit.so\n";
        let path = self.folder.join("pam.d").join(name);
        fs::write(path, format!("{auth}{rest}")).unwrap();
    }

    /// The folder with the secrets.
    pub fn users(&self) -> PathBuf {
        self.folder.join("lib/factor2/users")
    }

    /// The guard's file.
    pub fn guard(&self) -> PathBuf {
        self.folder.join("lib/factor2/guard.db")
    }

    /// Gives a user a secret, as factor2-enroll does. Gives the secret.
    pub fn enroll(&self, user: &str) -> String {
        let secret = new_secret();
        let path = self.users().join(user);
        fs::write(&path, format!("{secret}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        self.keep_quiet_about(&secret);
        secret
    }

    pub fn keep_quiet_about(&self, text: &str) {
        self.confidential.lock().unwrap().push(text.to_owned());
    }

    /// A command on this machine.
    pub fn command(&self, program: &str) -> Command {
        let mut command = unshare().unwrap();
        command
            .args(["sh", "-euc", INSIDE, "sh"])
            .arg(&self.folder)
            .arg(installed())
            .arg(program)
            .env("LD_LIBRARY_PATH", "/usr/local/lib");
        command
    }

    /// Tries to log in through pamtester.
    pub fn login(&self, service: &str, user: &str, code: &str) -> Login {
        tool("pamtester");
        let mut command = self.command("pamtester");
        command.args([service, user, "authenticate", "setcred"]);
        self.answer(command, code)
    }

    /// Runs a pamtester that is asked for a code.
    pub fn answer(&self, mut pamtester: Command, code: &str) -> Login {
        if code.len() > 4 {
            self.keep_quiet_about(code);
        }
        let mut child = pamtester
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Who is not asked may have ended.
        let _ = writeln!(child.stdin.take().unwrap(), "{code}");
        let output = child.wait_with_output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        let accepted = said.contains("pamtester: successfully authenticated");
        assert_eq!(output.status.success(), accepted, "{said}");
        Login { accepted, said }
    }

    /// Checks that a text gives away nothing.
    #[track_caller]
    pub fn keeps_quiet(&self, text: &str) {
        for secret in &*self.confidential.lock().unwrap() {
            assert!(!text.contains(secret), "{secret:?} is in: {text}");
        }
    }

    /// The log from here on.
    pub fn forget_log(&self) {
        self.log.lock().unwrap().clear();
    }

    /// Waits for a line of the log, and gives the log as it is then.
    #[track_caller]
    pub fn logged(&self, line: &str) -> String {
        let start = Instant::now();
        loop {
            let log = self.log.lock().unwrap().clone();
            self.keeps_quiet(&log);
            if log.contains(line) {
                return log;
            }
            assert!(start.elapsed() < Duration::from_secs(20), "{line:?}: {log}");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// attempts.c, running.
pub struct Attempts {
    pub process: Child,
    answers: BufReader<ChildStdout>,
}

/// What came of one attempt.
#[derive(Debug)]
pub struct Attempt {
    pub result: i32,
    /// From the question for the code to the end.
    pub took: Duration,
    /// Real, effective and saved uid afterwards.
    pub uids: String,
    pub told: String,
}

impl Attempts {
    pub fn start(mut command: Command) -> Attempts {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap());
        Attempts { process, answers }
    }

    /// Begins an attempt: service, user, password, code. It goes on by itself.
    pub fn begin(&mut self, what: [&str; 4]) {
        let line = format!("{}\n", what.join("\t"));
        let input = self.process.stdin.as_mut().unwrap();
        input.write_all(line.as_bytes()).unwrap();
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line.trim_end_matches('\n').to_owned()
    }

    /// Waits for the question for the code.
    pub fn wait_until_asked(&mut self) {
        assert_eq!(self.line(), "asked");
    }

    pub fn end(&mut self) -> Attempt {
        let mut line = self.line();
        if line == "asked" {
            line = self.line();
        }
        let mut words = line.splitn(5, ' ');
        let mut word = || words.next().unwrap_or_else(|| panic!("{line:?}"));
        assert_eq!(word(), "done");
        Attempt {
            result: word().parse().unwrap(),
            took: Duration::from_micros(word().parse().unwrap()),
            uids: word().to_owned(),
            told: word().to_owned(),
        }
    }

    pub fn attempt(&mut self, what: [&str; 4]) -> Attempt {
        self.begin(what);
        self.end()
    }
}

impl Drop for Attempts {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Collects what arrives at /dev/log.
fn listen(folder: &Path) -> Arc<Mutex<String>> {
    // The way by the descriptor fits into a socket's address, however long the folder's path is.
    let handle = fs::File::open(folder).unwrap();
    let address = format!("/proc/self/fd/{}/log", handle.as_raw_fd());
    let socket = UnixDatagram::bind(address).unwrap();
    let everybody = fs::Permissions::from_mode(0o666);
    fs::set_permissions(folder.join("log"), everybody).unwrap();
    let log = Arc::new(Mutex::new(String::new()));
    let lines = Arc::clone(&log);
    thread::spawn(move || {
        let mut line = [0; 4096];
        while let Ok(length) = socket.recv(&mut line) {
            let line = String::from_utf8_lossy(&line[..length]);
            let mut lines = lines.lock().unwrap();
            lines.push_str(&line);
            lines.push('\n');
        }
    });
    log
}

/// 20 bytes that no other test has.
pub fn new_secret() -> String {
    let bytes = fs::read("/proc/sys/kernel/random/uuid").unwrap();
    let mut digits = bytes.iter().filter(|byte| byte.is_ascii_hexdigit());
    (0..32)
        .map(|_| {
            let digit = *digits.next().unwrap() as char;
            let value = digit.to_digit(16).unwrap();
            char::from(b'A' + u8::try_from(value).unwrap())
        })
        .collect()
}

/// The code that an app shows.
pub fn code(secret: &str) -> String {
    code_at(secret, "now")
}

pub fn code_at(secret: &str, when: &str) -> String {
    let output = run(tool("oathtool").args(["--totp", "--base32", "--now", when, secret]));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A code that the app does not show.
pub fn wrong(secret: &str) -> String {
    let code = code(secret);
    format!("{}{}", &code[..5], (code.as_bytes()[5] - b'0' + 5) % 10)
}
