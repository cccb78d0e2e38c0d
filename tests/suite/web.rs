//! The web login of examples-c, in a real browser and, for what no browser sends, over a socket.

mod browser;
mod crowds;
mod http;
mod in_browser;
mod keys;
mod program;
mod recovery;
mod refused;
mod sessions;
mod visitor;
