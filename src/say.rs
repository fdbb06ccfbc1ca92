//! The only printer: the line forms of 0.3.18's log functions, and the ESC[1G in front of a push's lines.

use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::thread;

use crate::fail::{Fail, Outcome};
use crate::house::House;
use crate::io::Fd;

/// Bytes as they are, on stdout.
pub fn raw(house: &House, data: &[u8]) -> Outcome {
    Ok(house.io.stdout.write_all(data)?)
}

/// A line on stdout.
pub fn line(house: &House, text: impl AsRef<str>) -> Outcome {
    raw(house, format!("{}\n", text.as_ref()).as_bytes())
}

/// A line on stderr.
pub fn error(house: &House, text: impl AsRef<str>) {
    // Nowhere is left to tell of a stderr that cannot be written.
    let _ = house.io.stderr.write_all(format!("{}\n", text.as_ref()).as_bytes());
}

/// Bytes as they are, on stderr.
pub fn raw_error(house: &House, data: &[u8]) {
    let _ = house.io.stderr.write_all(data);
}

/// A question on stderr, as bash's `read -p` shows it.
pub fn prompt(house: &House, text: &str) {
    let _ = house.io.stderr.write_all(text.as_bytes());
}

/// The same with bytes as they are.
pub fn error_bytes(house: &House, text: &[u8]) {
    let _ = house.io.stderr.write_all(&[text, b"\n"].concat());
}

/// Shows what a failure still has to say; used where the failure itself is passed over, and by `main`.
pub fn failure(house: &House, fail: &Fail) {
    if let Some(text) = fail.text() {
        error(house, text);
    }
}

/// `-----> text`
pub fn info1(house: &House, text: impl AsRef<str>) -> Outcome {
    line(house, format!("-----> {}", text.as_ref()))
}

/// `=====> text`
pub fn info2(house: &House, text: impl AsRef<str>) -> Outcome {
    line(house, format!("=====> {}", text.as_ref()))
}

/// `=====> text`, unless quiet.
pub fn info2_quiet(house: &House, text: impl AsRef<str>) -> Outcome {
    if house.quiet() { Ok(()) } else { info2(house, text) }
}

/// `       text`
pub fn verbose(house: &House, text: impl AsRef<str>) -> Outcome {
    line(house, format!("       {}", text.as_ref()))
}

/// ` !    text`, on stdout as in 0.3.18.
pub fn warn(house: &House, text: impl AsRef<str>) -> Outcome {
    line(house, format!(" !    {}", text.as_ref()))
}

const COLUMN: usize = 40;

/// A line of two columns, both padded.
pub fn columns(left: &str, right: &str) -> String {
    let blanks = |text: &str| " ".repeat(COLUMN.saturating_sub(text.chars().count()));
    [left, &blanks(left), " ", right, &blanks(right), "\n"].concat()
}

/// Runs `work` with each line of its stdout, and of its children's, preceded by `prefix`.
/// A partial line is passed on as it comes. Returns when every holder of that stdout has closed it.
pub fn prefixed<T>(house: &House, prefix: &'static str, work: impl FnOnce(&House) -> Outcome<T>) -> Outcome<T> {
    let (reader, writer) = std::io::pipe()?;
    let sink = File::from(house.io.stdout.as_fd().try_clone_to_owned()?);
    let pump = thread::spawn(move || pump(reader, &Fd::own(sink), prefix));
    let mut inner = house.clone();
    inner.io.stdout = Fd::own(writer);
    let result = work(&inner);
    drop(inner);
    pump.join().map_err(|_| anyhow::anyhow!("the output of the deployment broke off"))?;
    result
}

fn pump(mut from: impl Read, to: &Fd, prefix: &str) {
    let (mut buffer, mut at_start) = ([0; 8192], true);
    while let Ok(count) = from.read(&mut buffer) {
        if count == 0 {
            return;
        }
        let mut shown = Vec::with_capacity(count + 64);
        for part in buffer[..count].split_inclusive(|byte| *byte == b'\n') {
            if at_start {
                shown.extend_from_slice(prefix.as_bytes());
            }
            shown.extend_from_slice(part);
            at_start = part.ends_with(b"\n");
        }
        // Reading goes on even if nobody looks: a writer must not be ended by our onlookers leaving.
        let _ = to.write_all(&shown);
    }
}
