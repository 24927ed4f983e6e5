//! One studio for a folder. The one that runs says in a file where it is and how it is opened, so that another
//! call can open one more window of it.

use std::fs::{self, File, TryLockError};
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A studio that runs.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    address: SocketAddr,
    token: String,
}

/// Holds a folder for one studio.
pub(crate) struct Hold {
    _lock: File,
}

/// Takes hold of a folder; none if another studio has it.
///
/// # Errors
/// What the operating system says.
pub(crate) fn hold(folder: &Path) -> Result<Option<Hold>> {
    let lock = File::create(folder.join("studio.lock"))?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(Hold { _lock: lock })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Says where the studio is that has the folder. Only its owner can read it.
///
/// # Errors
/// What the operating system says.
pub(crate) fn note(folder: &Path, address: SocketAddr, token: &str) -> Result<()> {
    let note = Note { address, token: token.to_owned() };
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&serde_json::to_vec(&note).map_err(Error::other)?)?;
    file.persist(folder.join("studio.json"))?;
    Ok(())
}

/// The address of a new window of the studio that has this folder; none if none runs.
///
/// # Errors
/// A studio that does not answer.
pub fn window_of_running(folder: &Path) -> Result<Option<String>> {
    if !folder.is_dir() || hold(folder)?.is_some() {
        return Ok(None);
    }
    let silent = || {
        let what = format!("a studio holds the folder {} and does not answer", folder.display());
        Error::new(ErrorKind::ConnectionRefused, what)
    };
    let text = fs::read(folder.join("studio.json"))?;
    let Note { mut address, token } = serde_json::from_slice(&text).map_err(Error::other)?;
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    let wait = Duration::from_secs(5);
    let mut stream = TcpStream::connect_timeout(&address, wait).map_err(|_| silent())?;
    stream.set_read_timeout(Some(wait))?;
    let port = address.port();
    write!(
        stream,
        "POST /api/codes HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n\
         Content-Length: 0\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.take(64 << 10).read_to_string(&mut answer)?;
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let code: Code = serde_json::from_str(body).map_err(|_| silent())?;
    Ok(Some(format!("http://{address}/#code={}", code.code)))
}

#[derive(Deserialize)]
struct Code {
    code: String,
}
