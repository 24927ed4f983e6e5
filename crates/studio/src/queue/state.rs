//! How a job stands, and what can become of it.

use serde::Serialize;

/// How a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    /// It has its turn when those before it have ended.
    Waiting,
    Running,
    /// It runs, but a preview goes first; nothing is lost.
    Held,
    /// It has no turn until somebody says so.
    Paused,
    Done,
    Failed,
    Cancelled,
}

/// What happens to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happens {
    Begin,
    Hold,
    GoOn,
    /// The run is given up and has its turn again.
    PutBack,
    Pause,
    Resume,
    Cancel,
    /// The file is there.
    End,
    Fail,
}

impl State {
    /// How a job stands after something happens; none if that cannot be.
    pub(crate) fn after(self, happens: Happens) -> Option<Self> {
        use Happens as On;
        Some(match (self, happens) {
            (Self::Waiting, On::Begin) => Self::Running,
            (Self::Running, On::Hold) => Self::Held,
            (Self::Held, On::GoOn) => Self::Running,
            (Self::Running | Self::Held, On::PutBack) => Self::Waiting,
            (Self::Waiting | Self::Running | Self::Held, On::Pause) => Self::Paused,
            (Self::Paused | Self::Failed | Self::Cancelled, On::Resume) => Self::Waiting,
            (Self::Waiting | Self::Running | Self::Held | Self::Paused, On::Cancel) => {
                Self::Cancelled
            }
            // What was asked of it came too late.
            (Self::Done, On::End) => return None,
            (_, On::End) => Self::Done,
            (Self::Running | Self::Held, On::Fail) => Self::Failed,
            _ => return None,
        })
    }

    /// Whether the run that makes it may go on, now or after a preview.
    pub(crate) fn runs(self) -> bool {
        matches!(self, Self::Running | Self::Held)
    }

    /// Whether nothing more becomes of it by itself.
    pub(crate) fn has_ended(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            // That it is held is of the moment.
            Self::Running | Self::Held => "running",
            Self::Paused => "paused",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    pub(crate) fn named(name: &str) -> Self {
        match name {
            "running" => Self::Running,
            "paused" => Self::Paused,
            "done" => Self::Done,
            "failed" => Self::Failed,
            "cancelled" => Self::Cancelled,
            _ => Self::Waiting,
        }
    }
}
