//! The web login of examples-c, in a real browser and, for what no browser sends, over a socket.

mod browser;
mod crowds;
mod http;
mod in_browser;
mod program;
mod refused;
mod sessions;
mod visitor;
