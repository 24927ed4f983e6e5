//! Galleries: they go on where they stopped, and their pictures are dreams like others.

use deepdream::{CancelToken, Content, Event, Fault, GalleryJob, TermText};

use crate::room::{Room, quick};

fn job(room: &Room) -> GalleryJob {
    let mut job =
        GalleryJob { cell: Some(32), dream: quick(), ..GalleryJob::new(room.picture("a.png")) };
    job.dream.recipe.terms = vec![TermText::Layer("fire2/squeeze1x1:3+5+7+9".into())];
    job
}

#[test]
fn a_gallery_goes_on_where_it_stopped_and_is_the_same() {
    let (whole, stopped) = (Room::new(), Room::new());
    job(&whole).run(&(), &CancelToken::new()).unwrap();

    let cancel = CancelToken::new();
    let asked = cancel.clone();
    let stop = move |event| {
        if matches!(&event, Event::Wrote(wrote) if wrote.content == (Content::Cell { index: 1 })) {
            asked.cancel();
        }
    };
    let job = job(&stopped);
    let error = job.run(&stop, &cancel).unwrap_err();
    assert_eq!(error.fault(), Fault::Cancelled);
    assert!(!stopped.path("a.gallery.png").exists());
    let made = || std::fs::read_dir(stopped.path("a.gallery")).unwrap().count();
    assert_eq!(made(), 2);

    let (sender, events) = std::sync::mpsc::channel();
    job.run(&sender, &CancelToken::new()).unwrap();
    drop(sender);
    let cells = |event: &Event| matches!(event, Event::Wrote(wrote) if matches!(wrote.content, Content::Cell { .. }));
    assert_eq!(events.iter().filter(cells).count(), 2);
    let files = stopped.files();
    assert_eq!(files, whole.files());
    assert_eq!(files.len(), 2, "the picture and the sheet");
}

#[test]
fn pictures_that_were_made_otherwise_are_not_taken() {
    let room = Room::new();
    let kept = GalleryJob { cells: Some(room.path("cells")), ..job(&room) };
    kept.run(&(), &CancelToken::new()).unwrap();
    let mut other = GalleryJob { output: Some(room.path("b.png")), ..kept.clone() };
    other.run(&(), &CancelToken::new()).unwrap();
    other.dream.recipe.set("ascent.iterations", 1);
    other.output = Some(room.path("c.png"));
    let error = other.run(&(), &CancelToken::new()).unwrap_err();
    assert_eq!(error.fault(), Fault::Output);
    assert!(error.to_string().contains("was made by another recipe"), "{error}");
    let before = room.files();
    other.overwrite = true;
    other.run(&(), &CancelToken::new()).unwrap();
    let name = "cells/fire2_squeeze1x1_3.png".as_ref();
    assert_ne!(room.files()[name as &std::path::Path], before[name]);
}
