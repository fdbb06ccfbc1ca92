//! A request to the nginx of this machine, as a browser would send it for one of its names.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const NGINX: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 80);
const PATIENCE: Duration = Duration::from_secs(10);

/// Status and body of a response.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

/// Asks nginx for `path` of `host`, over a connection of its own. Fails when nginx does not take the
/// connection, or does not answer within 10 seconds.
pub fn get(host: &str, path: &str) -> Result<Answer> {
    let mut connection = TcpStream::connect_timeout(&NGINX, PATIENCE)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    // HTTP/1.0: the body comes whole, and ends with the connection.
    write!(connection, "GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n")?;
    let mut response = String::new();
    connection.read_to_string(&mut response)?;
    parse(&response).ok_or_else(|| Error::new(ErrorKind::InvalidData, response))
}

fn parse(response: &str) -> Option<Answer> {
    let (head, body) = response.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, body: body.to_string() })
}
