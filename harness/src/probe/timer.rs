//! A timer that ends within tens of microseconds of its time. Tokio's own have a granularity of 1 ms.

use std::io;
use std::os::fd::OwnedFd;

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::io::unix::AsyncFd;

use crate::clock::Micros;

/// One `timerfd`, watched by the runtime beside the sockets, so that one thread sleeps for both: a second one
/// that only sleeps would double what a sample costs.
pub(super) struct Timer {
    fd: AsyncFd<OwnedFd>,
    set: Option<Micros>,
}

impl Timer {
    /// Must be called inside the runtime that will wait for it.
    pub(super) fn new() -> io::Result<Self> {
        let fd = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        #[expect(
            deprecated,
            reason = "its successor is unsafe because not every type keeps its descriptor open; `OwnedFd` does"
        )]
        let fd = AsyncFd::new(fd)?;
        Ok(Self { fd, set: None })
    }

    /// Ends at `when`, or at once if that has passed. May be dropped half-way and called again.
    pub(super) async fn until(&mut self, when: Micros) {
        if self.set != Some(when) {
            self.set(when);
        }
        loop {
            let mut ready = self.fd.readable().await.expect("its runtime runs, or nobody would be waiting");
            // Would block: it was ready for an earlier time, and is not any more.
            if let Ok(read) = ready.try_io(|fd| Ok(rustix::io::read(fd, &mut [0; 8])?)) {
                read.expect("an open timer has eight bytes to read");
                // Read, it is not ready until it is set again: saves trying.
                ready.clear_ready();
                self.set = None;
                return;
            }
        }
    }

    fn set(&mut self, when: Micros) {
        let seconds = i64::try_from(when.0 / 1_000_000).expect("2⁶⁴ µs are fewer than 2⁶³ s");
        // All zero would switch it off.
        let nanos = i64::try_from(when.0 % 1_000_000 * 1_000).expect("less than a second").max(1);
        let once = Itimerspec {
            it_interval: Timespec { tv_sec: 0, tv_nsec: 0 },
            it_value: Timespec { tv_sec: seconds, tv_nsec: nanos },
        };
        timerfd_settime(&self.fd, TimerfdTimerFlags::ABSTIME, &once).expect("an open timer takes any time");
        self.set = Some(when);
    }
}
