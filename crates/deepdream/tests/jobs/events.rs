//! What jobs tell while they work.

use std::sync::Mutex;
use std::time::Duration;

use deepdream::{
    BatchJob, CancelToken, Content, Dreamer, Event, Fault, FramesJob, Length, Progress, Size,
    Stage, StillJob, Work,
};

use crate::room::{Room, image, quick};

/// Collects events.
#[derive(Default)]
struct Log(Mutex<Vec<Event>>);

impl deepdream::Events for Log {
    fn event(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

impl Log {
    fn events(self) -> Vec<Event> {
        self.0.into_inner().unwrap()
    }
}

fn progress(events: &[Event]) -> Vec<Progress> {
    let progress = |event: &Event| match event {
        Event::Progress(progress) => Some(progress.clone()),
        _ => None,
    };
    events.iter().filter_map(progress).collect()
}

#[test]
fn a_still_is_told_from_its_start_to_its_end() {
    let room = Room::new();
    let mut job = StillJob::new(room.picture("a.png"));
    job.dream = quick();
    job.dream.previews = Some(Duration::ZERO);
    let log = Log::default();
    let report = job.run(&log, &CancelToken::new()).unwrap();
    let events = log.events();

    let Event::Started(Work::Picture { size, .. }) = &events[0] else { panic!("{events:?}") };
    assert_eq!(*size, Size::new(36, 48));
    let steps = progress(&events);
    assert_eq!(steps.len(), 4);
    assert!(steps.windows(2).all(|pair| pair[0].done < pair[1].done));
    // The first step alone does not tell how long the others take.
    assert!(steps[0].left.is_none() && steps[1..].iter().all(|step| step.left.is_some()));
    let last = &steps[3];
    assert_eq!(last.stage, Stage::Step { octave: 2, octaves: 2, step: 2, steps: 2 });
    assert_eq!((Some(last.done), last.left), (last.total, Some(Duration::ZERO)));
    let previews = events.iter().filter(|event| matches!(event, Event::Preview(_)));
    assert_eq!(previews.count(), 4);
    let [.., Event::Wrote(wrote), Event::Done] = &events[..] else { panic!("{events:?}") };
    assert_eq!(wrote.path, room.path("a.dream.png"));
    assert!(matches!(wrote.content, Content::Picture { .. }));
    assert_eq!(report.wrote, [room.path("a.dream.png")]);
    assert_eq!(report.recipe.unwrap().octaves.count, 2);
}

#[test]
fn frames_count_up_to_the_last() {
    let room = Room::new();
    std::fs::create_dir(room.path("sky")).unwrap();
    room.picture("sky/img_0.png");
    let mut job = FramesJob::new(room.path("sky"));
    job.length = Length::Frames(3);
    job.dream = quick();
    let log = Log::default();
    job.run(&log, &CancelToken::new()).unwrap();
    let events = log.events();
    let folder = room.path("sky");
    let work = Work::Frames { folder, after: 0, frames: Some(2) };
    assert!(matches!(&events[0], Event::Started(started) if *started == work));
    let steps = progress(&events);
    assert!(steps.windows(2).all(|pair| pair[0].done <= pair[1].done));
    let last = steps.last().unwrap();
    assert_eq!(last.stage, Stage::Frame { number: 2, present: 3, frames: Some(3) });
    assert_eq!(Some(last.done), last.total);

    // Run again, there is nothing left to do.
    let log = Log::default();
    job.run(&log, &CancelToken::new()).unwrap();
    assert!(progress(&log.events()).is_empty());
}

#[test]
fn a_picture_that_fails_does_not_keep_the_others() {
    let room = Room::new();
    std::fs::write(room.path("bad.png"), b"\x89PNG\r\n\x1a\nnothing").unwrap();
    let mut job = BatchJob::new([room.path("bad.png"), room.picture("good.png")]);
    job.dream = quick();
    let log = Log::default();
    let error = job.run(&log, &CancelToken::new()).unwrap_err();
    assert_eq!(error.fault(), Fault::Picture);
    assert!(error.message().contains("1 of 2 pictures"), "{error}");
    let failed =
        |event: &Event| matches!(event, Event::Failed { name, .. } if name.ends_with("bad.png"));
    assert!(log.events().iter().any(failed));
    assert!(room.path("good.dream.png").exists());
}

#[test]
fn a_dream_stops_at_the_step_that_cancels_it() {
    let cancel = CancelToken::new();
    let (sender, events) = std::sync::mpsc::channel();
    let asked = cancel.clone();
    let network = deepdream::models::squeezenet().unwrap();
    let dreamer = Dreamer::new(&network).layer("conv1").set("octaves.count", "1").cancel(&cancel);
    let dreamer = dreamer.events(move |event| {
        if let Event::Progress(_) = event {
            asked.cancel();
        }
        sender.send(event).unwrap();
    });
    let error = dreamer.dream(&image(32, 24)).unwrap_err();
    assert_eq!(error.fault(), Fault::Cancelled);
    drop(dreamer);
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Progress(_))).count(), 1);
}

#[test]
fn a_cancelled_dream_goes_on_where_it_stopped_and_a_small_one_as_a_large_one() {
    let network = deepdream::models::squeezenet().unwrap();
    let dreamer = Dreamer::new(&network)
        .layer("conv1")
        .set("octaves.count", "1")
        .set("octaves.anchor", "32")
        .set("ascent.iterations", "3");
    let photo = image(64, 48);
    let whole = dreamer.dream(&photo).unwrap();
    let cancel = CancelToken::new();
    let asked = cancel.clone();
    let stopping = dreamer.clone().cancel(&cancel).events(move |event| {
        if let Event::Progress(_) = event {
            asked.cancel();
        }
    });
    let stopped = stopping.dream_from(&photo, None).unwrap();
    assert_eq!((stopped.checkpoint.octave(), stopped.checkpoint.iteration()), (0, 1));
    assert_eq!(stopped.dream, None);
    let end = dreamer.dream_from(&photo, Some(stopped.checkpoint)).unwrap();
    assert_eq!(end.dream.as_ref(), Some(&whole));

    let preview = dreamer.clone().size(32).dream_from(&photo, None).unwrap();
    let small = dreamer.clone().size(32).dream(&photo).unwrap();
    assert_eq!(preview.dream, Some(small));
    let end = dreamer.dream_from(&photo, Some(preview.checkpoint)).unwrap();
    assert_eq!(end.dream, Some(whole));
}
