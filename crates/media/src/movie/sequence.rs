//! Which frames a movie shows, one after the other.

/// What is shown for one frame's time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shot {
    /// A frame, by its index.
    Frame(usize),
    /// The first frame fading into the second; the number is the second one's share, 0–1.
    Blend(usize, usize, f32),
}

/// The order in which a movie shows frames. Durations are in frames.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sequence {
    /// How much longer than a frame's time the first frame is shown.
    pub hold_first: usize,
    /// How much longer than a frame's time the last frame is shown.
    pub hold_last: usize,
    /// Whether to go back to the start again. The first and the last frame are not repeated for it.
    pub ping_pong: bool,
    /// How many frames at the end fade into the first ones, so that the movie loops smoothly.
    pub fade: usize,
}

impl Sequence {
    /// The shots of a movie of `count` frames. At most half of them fade.
    pub fn shots(self, count: usize) -> Vec<Shot> {
        if count == 0 {
            return Vec::new();
        }
        let last = count - 1;
        let fade = self.fade.min(count / 2);
        let length = count - fade;
        let blended = (0..fade).map(|index| {
            let share = (index + 1) as f32 / (fade + 1) as f32;
            Shot::Blend(length + index, index, share)
        });
        let mut shots = vec![Shot::Frame(0); self.hold_first];
        shots.extend(blended);
        shots.extend((fade..length).map(Shot::Frame));
        shots.extend(vec![Shot::Frame(last); self.hold_last]);
        if self.ping_pong {
            shots.extend((1..last).rev().map(Shot::Frame));
        }
        shots
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(shots: &[Shot]) -> Vec<usize> {
        let frame = |shot: &Shot| match *shot {
            Shot::Frame(index) => index,
            Shot::Blend(..) => panic!("a blend"),
        };
        shots.iter().map(frame).collect()
    }

    #[test]
    fn holds_and_turns() {
        let plain = Sequence::default();
        assert_eq!(frames(&plain.shots(3)), [0, 1, 2]);
        let held = Sequence { hold_first: 2, hold_last: 1, ..plain };
        assert_eq!(frames(&held.shots(3)), [0, 0, 0, 1, 2, 2]);
        let turned = Sequence { ping_pong: true, ..held };
        assert_eq!(frames(&turned.shots(4)), [0, 0, 0, 1, 2, 3, 3, 2, 1]);
        assert_eq!(frames(&turned.shots(1)), [0, 0, 0, 0]);
        assert!(turned.shots(0).is_empty());
    }

    #[test]
    fn a_loop_begins_where_it_ends() {
        let shots = Sequence { fade: 3, ..Sequence::default() }.shots(10);
        assert_eq!(shots.len(), 7);
        assert_eq!(shots[0], Shot::Blend(7, 0, 0.25));
        assert_eq!(shots[2], Shot::Blend(9, 2, 0.75));
        assert_eq!(frames(&shots[3..]), [3, 4, 5, 6]);
        assert_eq!(Sequence { fade: 9, ..Sequence::default() }.shots(3).len(), 2);
    }
}
