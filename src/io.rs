//! The three streams of a command or hook, be it a process or a function of ours.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::process::Stdio;
use std::rc::Rc;
use std::thread;

/// A stream: one of the process's own three, or one that was opened for somebody.
#[derive(Clone, Debug)]
pub enum Fd {
    /// 0, 1 or 2 of this process.
    Std(RawFd),
    /// Closed with its last owner.
    Own(Rc<OwnedFd>),
}

impl Fd {
    /// A stream of its own.
    pub fn own(fd: impl Into<OwnedFd>) -> Fd {
        Fd::Own(Rc::new(fd.into()))
    }

    /// An empty input, or an output that swallows everything.
    pub fn null() -> io::Result<Fd> {
        Ok(Fd::own(File::options().read(true).write(true).open("/dev/null")?))
    }

    /// For a child process.
    pub fn stdio(&self) -> io::Result<Stdio> {
        Ok(Stdio::from(self.as_fd().try_clone_to_owned()?))
    }

    /// Is it a terminal?
    pub fn is_terminal(&self) -> bool {
        io::IsTerminal::is_terminal(&self.as_fd())
    }

    /// The same stream as a file.
    pub fn file(&self) -> io::Result<File> {
        Ok(File::from(self.as_fd().try_clone_to_owned()?))
    }

    /// Everything up to the end.
    pub fn read_all(&self) -> io::Result<Vec<u8>> {
        let mut data = Vec::new();
        self.file()?.read_to_end(&mut data)?;
        Ok(data)
    }

    /// One line without its newline, and not one byte more: what follows belongs to whoever shares this stream.
    /// `None` at the end; a last line without newline counts as none, as for `read` in a shell.
    pub fn read_line(&self) -> io::Result<Option<Vec<u8>>> {
        let (mut file, mut line, mut byte) = (self.file()?, Vec::new(), [0]);
        loop {
            match file.read(&mut byte) {
                Ok(0) => return Ok(None),
                Ok(_) if byte[0] == b'\n' => return Ok(Some(line)),
                Ok(_) => line.push(byte[0]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Writes all that `from` gives.
    pub fn copy_from(&self, from: &mut impl Read) -> io::Result<()> {
        let mut buffer = vec![0; 1 << 16];
        loop {
            match from.read(&mut buffer)? {
                0 => return Ok(()),
                count => self.write_all(&buffer[..count])?,
            }
        }
    }

    /// Writes all of `data`. A reader that has gone is no error: the work goes on without onlookers.
    pub fn write_all(&self, data: &[u8]) -> io::Result<()> {
        let fd = self.as_fd();
        let mut rest = data;
        while !rest.is_empty() {
            match nix::unistd::write(fd, rest) {
                Ok(count) => rest = &rest[count..],
                Err(nix::errno::Errno::EINTR) => {}
                Err(nix::errno::Errno::EPIPE | nix::errno::Errno::EIO) => return Ok(()),
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }
}

impl AsFd for Fd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            // SAFETY: 0, 1 and 2 stay open as long as the process lives; nothing here closes them.
            Fd::Std(raw) => unsafe { BorrowedFd::borrow_raw(*raw) },
            Fd::Own(fd) => fd.as_fd(),
        }
    }
}

/// Standard input, output and error.
#[derive(Clone, Debug)]
pub struct Io {
    /// Standard input.
    pub stdin: Fd,
    /// Standard output.
    pub stdout: Fd,
    /// Standard error.
    pub stderr: Fd,
}

impl Io {
    /// Those of this process.
    pub fn of_process() -> Io {
        Io { stdin: Fd::Std(0), stdout: Fd::Std(1), stderr: Fd::Std(2) }
    }
}

/// A pipe: its end to read from and its end to write to.
pub fn pipe() -> io::Result<(Fd, Fd)> {
    let (reader, writer) = io::pipe()?;
    Ok((Fd::own(reader), Fd::own(writer)))
}

/// A pipe to read `data` from. Nobody waits for a reader that leaves some of it, or all.
pub fn piped(data: Vec<u8>) -> io::Result<Fd> {
    let (reader, mut writer) = io::pipe()?;
    let room = nix::fcntl::fcntl(&writer, nix::fcntl::FcntlArg::F_GETPIPE_SZ)?;
    if data.len() <= room as usize {
        writer.write_all(&data)?;
    } else {
        thread::spawn(move || writer.write_all(&data));
    }
    Ok(Fd::own(reader))
}

/// A nameless file in memory that holds `data`, to be read from its start.
pub fn scratch(data: &[u8]) -> io::Result<Fd> {
    let fd = Fd::own(nix::sys::memfd::memfd_create(c"dokku", nix::sys::memfd::MFdFlags::MFD_CLOEXEC)?);
    if data.is_empty() {
        return Ok(fd);
    }
    fd.write_all(data)?;
    rewound(fd)
}

/// A scratch file that has been written to, to be read from its start.
pub fn rewound(scratch: Fd) -> io::Result<Fd> {
    nix::unistd::lseek(scratch.as_fd(), 0, nix::unistd::Whence::SeekSet)?;
    Ok(scratch)
}

/// What has been written into a scratch file so far.
pub fn contents(scratch: &Fd) -> io::Result<Vec<u8>> {
    let mut file = scratch.file()?;
    file.rewind()?;
    let mut data = Vec::new();
    file.read_to_end(&mut data)?;
    Ok(data)
}

/// A scratch file that children inherit under its number.
pub fn inherited_scratch() -> io::Result<Fd> {
    Ok(Fd::own(File::from(nix::sys::memfd::memfd_create(c"dokku", nix::sys::memfd::MFdFlags::empty())?)))
}
