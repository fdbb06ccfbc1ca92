//! Usage: load ADDRESS HOST RATE SECONDS
//!
//! Makes RATE requests a second for `/` of HOST at ADDRESS, each on a connection of its own and begun at its time whatever
//! became of those before, and prints how many were made and how many did not get an answer `200` within 10 s; on stderr what those got.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::exit;
use std::thread;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(10);

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some((address, host, rate, seconds)) = parse(&words) else {
        eprintln!("Usage: load ADDRESS HOST RATE SECONDS");
        exit(1)
    };
    let began = Instant::now();
    let requests: Vec<_> = (0..rate * seconds)
        .map(|number| {
            thread::sleep((began + Duration::from_secs(1) * number / rate).saturating_duration_since(Instant::now()));
            let text = format!("GET / HTTP/1.0\r\nHost: {host}\r\n\r\n");
            thread::spawn(move || answer(address, &text).map_err(|error| error.to_string()))
        })
        .collect();
    let made = requests.len();
    let answers = requests.into_iter().filter_map(|request| request.join().ok()).map(|answer| answer.unwrap_or_else(|error| error));
    let wrong: Vec<(usize, String)> = answers.enumerate().filter(|(_, line)| !is_good(line)).collect();
    println!("{made} {}", wrong.len());
    for (number, line) in wrong {
        eprintln!("{:.2} s: {line}", number as f64 / f64::from(rate));
    }
}

fn parse(words: &[String]) -> Option<(SocketAddr, String, u32, u32)> {
    let [address, host, rate, seconds] = words else { return None };
    Some((address.parse().ok()?, host.clone(), rate.parse().ok()?, seconds.parse().ok()?))
}

fn is_good(line: &str) -> bool {
    line.split(' ').nth(1) == Some("200")
}

/// The first line of the answer.
fn answer(address: SocketAddr, request: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).lines().next().unwrap_or("no answer").to_owned())
}
