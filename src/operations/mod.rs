//! The operations: methods of the authenticator, from a request's text to a response.

mod crossauth;
mod describe;
mod enroll;
mod guard;
mod recovery;
mod refused;
mod seal;
mod transfer;
mod verify;
