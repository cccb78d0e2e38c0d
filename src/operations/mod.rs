//! The operations: methods of the authenticator, from a request's text to a response.

mod authenticating;
mod crossauth;
mod describe;
mod diagnose;
mod enroll;
mod generate;
mod guard;
mod recovery;
mod refused;
mod resync;
mod seal;
mod shown;
mod transfer;
mod verify;
