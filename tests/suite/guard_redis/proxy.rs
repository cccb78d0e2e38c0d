//! A network that misbehaves: between the library and a server, on the loopback interface.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

#[derive(Clone, PartialEq)]
pub enum Mode {
    /// Requests and replies pass.
    Pass,
    /// The server gets the request; the connection breaks instead of its reply. So many times.
    LoseReplies(usize),
    /// The server gets nothing, the client gets these bytes.
    Answer(Vec<u8>),
    /// The same, one byte after the other, each after a pause.
    Trickle(Vec<u8>, Duration),
    /// Requests are read, and that is all.
    Silence,
    /// No new request on an old connection passes, unnoticed; new connections do.
    SilenceForOld,
    /// Connections break with a reset.
    Reset,
}

pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    mode: Mutex<Mode>,
    server: PathBuf,
    /// How many connections there were.
    connections: AtomicUsize,
    /// How many requests the server has answered.
    answered: AtomicUsize,
}

impl Proxy {
    pub fn before(server: PathBuf) -> Proxy {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            mode: Mutex::new(Mode::Pass),
            server,
            connections: AtomicUsize::new(0),
            answered: AtomicUsize::new(0),
        });
        let of_thread = Arc::clone(&shared);
        // It and its connections end with the process.
        thread::spawn(move || {
            for client in listener.incoming() {
                let shared = Arc::clone(&of_thread);
                thread::spawn(move || shared.serve(client.unwrap()));
            }
        });
        Proxy { port, shared }
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub fn set(&self, mode: Mode) {
        *self.shared.mode.lock().unwrap() = mode;
    }

    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    pub fn answered(&self) -> usize {
        self.shared.answered.load(Ordering::SeqCst)
    }
}

impl Shared {
    /// One connection, until it ends. A request is small enough to arrive in one piece.
    fn serve(&self, mut client: TcpStream) {
        self.connections.fetch_add(1, Ordering::SeqCst);
        client.set_nodelay(true).unwrap();
        let mut server = UnixStream::connect(&self.server).unwrap();
        let mut buffer = [0; 65_536];
        let mut is_old = false;
        while client.peek(&mut buffer).is_ok_and(|count| count > 0) {
            let mode = self.mode.lock().unwrap().clone();
            if mode == Mode::Reset {
                // What was not read makes it a reset.
                return;
            }
            let count = client.read(&mut buffer).unwrap();
            match mode {
                Mode::Answer(bytes) => drop(client.write_all(&bytes)),
                Mode::Trickle(bytes, pause) => {
                    for byte in bytes {
                        thread::sleep(pause);
                        if client.write_all(&[byte]).is_err() {
                            return;
                        }
                    }
                }
                Mode::SilenceForOld if is_old => {}
                Mode::Silence | Mode::Reset => {}
                Mode::Pass | Mode::LoseReplies(_) | Mode::SilenceForOld => {
                    server.write_all(&buffer[..count]).unwrap();
                    let count = server.read(&mut buffer).unwrap();
                    self.answered.fetch_add(1, Ordering::SeqCst);
                    if self.loses_one() {
                        client.shutdown(Shutdown::Both).unwrap();
                        return;
                    }
                    drop(client.write_all(&buffer[..count]));
                }
            }
            is_old = true;
        }
    }

    fn loses_one(&self) -> bool {
        let mut mode = self.mode.lock().unwrap();
        let Mode::LoseReplies(left) = &mut *mode else {
            return false;
        };
        *left -= 1;
        if *left == 0 {
            *mode = Mode::Pass;
        }
        true
    }
}
