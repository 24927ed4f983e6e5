//! Events: the present state of what has changed, whenever something has. A reader that is slow gets fewer of
//! them, never old ones.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;

use crate::desk::Desk;

/// The shortest time between two rounds of events.
const ROUND: Duration = Duration::from_millis(100);

/// The shortest time between two rounds that tell of steps alone: who reads them paints them, on what may be the
/// processors that the dream needs.
const STEPS: Duration = Duration::from_millis(250);

/// The events after `count`.
pub(crate) fn events(
    desk: Arc<Desk>,
    mut count: u64,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    // Room for one round: who does not read holds nothing but that.
    let (sender, receiver) = mpsc::channel(4);
    tokio::spawn(async move {
        let [mut told, mut news] = [&desk.told, &desk.news].map(|it| it.subscribe());
        loop {
            let (now, parts) = desk.since(count);
            for (part, state) in parts {
                let event = Event::default().event(part.name()).id(now.to_string());
                let Ok(event) = event.json_data(state) else { return };
                if sender.send(Ok(event)).await.is_err() {
                    return;
                }
            }
            count = now;
            if desk.is_over() {
                let _ = sender.send(Ok(Event::default().event("bye").data("{}"))).await;
                return;
            }
            tokio::time::sleep(ROUND).await;
            let steps = async {
                tokio::time::sleep(STEPS - ROUND).await;
                told.wait_for(|told| *told > count).await.is_ok()
            };
            let goes_on = tokio::select! {
                changed = news.wait_for(|news| *news > count) => changed.is_ok(),
                changed = steps => changed,
                () = sender.closed() => false,
            };
            if !goes_on {
                return;
            }
        }
    });
    Sse::new(ReceiverStream::new(receiver))
        .keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}
