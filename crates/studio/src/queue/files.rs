//! The files that jobs have made, as answers: whole or in ranges, as players of movies ask for them.

use std::fs::File;
use std::io::SeekFrom;
use std::path::Path;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::pictures::attachment;
use crate::routes::Answer;
use crate::server::Room;

/// How much is read at once.
const CHUNK: usize = 64 << 10;

/// The file that a job has made, to be shown or saved; none if there is none.
pub(crate) fn file(room: &Room, id: &str, save: bool, headers: &HeaderMap) -> Option<Answer> {
    let job = room.queue.job(id)?;
    let output = job.output.filter(|_| job.state == super::State::Done)?;
    let path = room.shelf.root().join(&output);
    // What somebody has put in its place is not served.
    let is_file = path.symlink_metadata().is_ok_and(|about| about.is_file());
    let file = is_file.then(|| File::open(&path).ok())??;
    let length = file.metadata().ok()?.len();
    let (kind, shown) = kind(&path)?;
    let mut answer = ranged(file, length, headers.get(header::RANGE));
    let set = answer.headers_mut();
    set.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    set.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if save || !shown {
        let name = path.file_name()?.to_string_lossy().into_owned();
        set.extend(attachment(&name).map(|value| (header::CONTENT_DISPOSITION, value)));
    }
    Some(answer)
}

/// What a file is by its name, which is one of ours, and whether browsers show it.
fn kind(path: &Path) -> Option<(&'static str, bool)> {
    Some(match path.extension()?.to_str()? {
        "png" => ("image/png", true),
        "jpg" => ("image/jpeg", true),
        "webp" => ("image/webp", true),
        "tiff" => ("image/tiff", false),
        "mp4" => ("video/mp4", true),
        _ => return None,
    })
}

/// All of a file, or the range that is asked for.
fn ranged(file: File, length: u64, range: Option<&HeaderValue>) -> Answer {
    let asked = range.and_then(|range| parse(range.to_str().ok()?, length));
    let (status, from, to) = match asked {
        None => (StatusCode::OK, 0, length),
        Some(Some((from, to))) => (StatusCode::PARTIAL_CONTENT, from, to),
        Some(None) => {
            let mut answer = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
            content_range(&mut answer, &format!("bytes */{length}"));
            return answer;
        }
    };
    let mut answer = Response::new(body(file, from, to - from));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_LENGTH, (to - from).into());
    if status == StatusCode::PARTIAL_CONTENT {
        content_range(&mut answer, &format!("bytes {from}-{}/{length}", to - 1));
    }
    answer
}

fn content_range(answer: &mut Answer, range: &str) {
    if let Ok(range) = HeaderValue::from_str(range) {
        answer.headers_mut().insert(header::CONTENT_RANGE, range);
    }
}

/// The bytes that a header asks for, from the first to the one behind the last. The outer none is of a header that
/// is to be passed over, as RFC 9110 has it for what is no single range; the inner one of a range that is not there.
fn parse(range: &str, length: u64) -> Option<Option<(u64, u64)>> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (from, to) = match (first.trim(), last.trim()) {
        ("", last) => (length.saturating_sub(last.parse().ok()?), length),
        (first, "") => (first.parse().ok()?, length),
        (first, last) => {
            let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
            if last < first {
                return None;
            }
            (first, last.saturating_add(1).min(length))
        }
    };
    Some((from < to).then_some((from, to)))
}

/// So many bytes of a file from a place on, read as they are sent: who stalls holds no thread.
fn body(file: File, from: u64, count: u64) -> Body {
    let (sender, receiver) = mpsc::channel::<std::io::Result<Bytes>>(2);
    tokio::spawn(async move {
        let send = async {
            let mut file = tokio::fs::File::from_std(file);
            file.seek(SeekFrom::Start(from)).await?;
            let mut left = file.take(count);
            loop {
                let mut chunk = Vec::with_capacity(CHUNK);
                let some = (&mut left).take(CHUNK as u64).read_to_end(&mut chunk).await?;
                // Who does not want the rest has gone.
                if some == 0 || sender.send(Ok(chunk.into())).await.is_err() {
                    return Ok(());
                }
            }
        };
        if let Err(error) = send.await {
            let _ = sender.send(Err(error)).await;
        }
    });
    Body::from_stream(ReceiverStream::new(receiver))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn ranges_are_those_of_the_standard() {
        for (range, wanted) in [
            ("bytes=0-", Some(Some((0, 100)))),
            ("bytes=10-19", Some(Some((10, 20)))),
            ("bytes=90-1000", Some(Some((90, 100)))),
            ("bytes=-10", Some(Some((90, 100)))),
            ("bytes=-1000", Some(Some((0, 100)))),
            ("bytes=100-", Some(None)),
            ("bytes=-0", Some(None)),
            ("bytes=20-10", None),
            ("bytes=0-1,5-6", None),
            ("bytes=a-b", None),
            ("bytes=18446744073709551615-18446744073709551615", Some(None)),
            ("lines=0-1", None),
            ("bytes=", None),
        ] {
            assert_eq!(parse(range, 100), wanted, "{range}");
        }
        assert_eq!(parse("bytes=0-", 0), Some(None));
    }
}
