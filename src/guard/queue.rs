//! The turns of a process's threads at something that only one of them, or only so many, use at a time.
//!
//! They come in order, and nobody polls: who has to wait sleeps until it is called. The one whose turn it is
//! may take along those who wait behind it, and answer for them: what costs much once, such as a flush to the
//! disk, is paid once for all.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::{self, Thread};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::guard::deadline::{Backoff, Deadline, pause};

/// How many are taken along at most: others, who have lines of their own, wait meanwhile.
const LARGEST_GROUP: usize = 128;

/// How long an answer is waited for after the deadline, by those who were taken along: what is being done for
/// them cannot be undone.
const LONGEST_ANSWER: Duration = Duration::from_secs(30);

/// A line of calls, the first of which are being served.
pub(super) struct Queue<Q, A> {
    line: Mutex<Line<Q, A>>,
}

struct Line<Q, A> {
    /// How many more may have a turn at once. Who has one calls the next.
    free: usize,
    waiting: VecDeque<Arc<Call<Q, A>>>,
}

/// A call that waits.
struct Call<Q, A> {
    question: Q,
    deadline: Deadline,
    thread: Thread,
    state: AtomicU8,
    answer: Mutex<Option<Result<A>>>,
}

/// What becomes of a call.
const WAITING: u8 = 0;
/// It is its turn.
const LEADING: u8 = 1;
/// Somebody is answering it.
const TAKEN: u8 = 2;
const ANSWERED: u8 = 3;
/// It has given up.
const GONE: u8 = 4;

/// A turn: until it ends, it is one fewer that others can have.
pub(super) struct Turn<'a, Q, A> {
    queue: &'a Queue<Q, A>,
    taken: Vec<Arc<Call<Q, A>>>,
}

impl<Q, A> Queue<Q, A> {
    /// Where so many have their turns at once.
    pub(super) fn new(turns: usize) -> Self {
        Queue {
            line: Mutex::new(Line {
                free: turns,
                waiting: VecDeque::new(),
            }),
        }
    }

    /// Gives the answer: that of `lead`, when it is this call's turn, or that of another call's turn. `None` if
    /// neither came in time.
    pub(super) fn ask(
        &self,
        question: Q,
        deadline: Deadline,
        lead: impl FnOnce(&mut Turn<Q, A>) -> Result<A>,
    ) -> Option<Result<A>> {
        if let Some(call) = self.stand_in_line(question, deadline)?
            && let Some(answer) = call.wait()
        {
            return answer;
        }
        let mut turn = Turn {
            queue: self,
            taken: Vec::new(),
        };
        Some(lead(&mut turn))
    }

    /// Nothing if it is this call's turn at once; `None` if the line could not be looked at.
    fn stand_in_line(&self, question: Q, deadline: Deadline) -> Option<Option<Arc<Call<Q, A>>>> {
        let mut line = self.line(&mut Backoff::until(deadline))?;
        if line.free > 0 {
            line.free -= 1;
            return Some(None);
        }
        let call = Arc::new(Call {
            question,
            deadline,
            thread: thread::current(),
            state: AtomicU8::new(WAITING),
            answer: Mutex::new(None),
        });
        line.waiting.push_back(Arc::clone(&call));
        Some(Some(call))
    }

    /// It is held for moments. But a thread may be stopped in one, and a signal's handler may come to it again, so
    /// it is never waited for without an end.
    fn line(&self, backoff: &mut Backoff) -> Option<MutexGuard<'_, Line<Q, A>>> {
        loop {
            match self.line.try_lock() {
                Ok(line) => return Some(line),
                Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) if backoff.wait() => {}
                Err(TryLockError::WouldBlock) => return None,
            }
        }
    }
}

impl<Q, A> Call<Q, A> {
    /// The answer of another's turn; `Some(None)` if none came in time, and `None` if it is this call's turn.
    fn wait(&self) -> Option<Option<Result<A>>> {
        loop {
            let patience = match self.state.load(Ordering::Acquire) {
                LEADING => return None,
                ANSWERED => return Some(self.answer().take()),
                TAKEN => self.deadline.later_by(LONGEST_ANSWER),
                _ => self.deadline,
            };
            if !patience.has_passed() {
                pause(patience.remaining());
            } else if self.state.load(Ordering::Acquire) == TAKEN || self.turn_into(GONE) {
                return Some(None);
            }
        }
    }

    /// False if it does not wait any more.
    fn turn_into(&self, state: u8) -> bool {
        self.state
            .compare_exchange(WAITING, state, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    fn answer(&self) -> MutexGuard<'_, Option<Result<A>>> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, answer: Result<A>) {
        *self.answer() = Some(answer);
        self.state.store(ANSWERED, Ordering::Release);
        self.thread.unpark();
    }
}

/// For one whose turn it is.
fn patient() -> Backoff {
    Backoff::until(Deadline::after(LONGEST_ANSWER))
}

impl<Q: Copy, A> Turn<'_, Q, A> {
    /// Takes along those who wait, and gives their questions, in order.
    pub(super) fn take_along(&mut self) -> Vec<(Q, Deadline)> {
        if let Some(mut line) = self.queue.line(&mut patient()) {
            while self.taken.len() < LARGEST_GROUP
                && let Some(call) = line.waiting.pop_front()
            {
                if call.turn_into(TAKEN) {
                    self.taken.push(call);
                }
            }
        }
        let questions = self.taken.iter().map(|call| (call.question, call.deadline));
        questions.collect()
    }

    /// Answers those who were taken along, in the order of their questions.
    pub(super) fn answer(&mut self, answers: impl IntoIterator<Item = Result<A>>) {
        for (call, answer) in self.taken.drain(..).zip(answers) {
            call.tell(answer);
        }
    }
}

impl<Q, A> Drop for Turn<'_, Q, A> {
    /// Calls the next one, also after a panic.
    fn drop(&mut self) {
        for call in self.taken.drain(..) {
            call.tell(Err(Error::internal(
                "the turn that was to answer ended early",
            )));
        }
        // Without the line, nobody is called, and all are refused in time.
        let Some(mut line) = self.queue.line(&mut patient()) else {
            return;
        };
        while let Some(call) = line.waiting.pop_front() {
            if call.turn_into(LEADING) {
                call.thread.unpark();
                return;
            }
        }
        line.free += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::mpsc::channel;
    use std::thread::ScopedJoinHandle;

    use super::*;

    type Questions = Queue<usize, usize>;

    fn soon() -> Deadline {
        Deadline::after(Duration::from_secs(60))
    }

    fn length(queue: &Questions) -> usize {
        queue.line.lock().unwrap().waiting.len()
    }

    fn wait_for(queue: &Questions, waiting: usize) {
        while length(queue) != waiting {
            thread::yield_now();
        }
    }

    /// While one call has its turn, others come, one after the other; `lead` is what each does in its own turn.
    fn crowd(
        queue: &Questions,
        size: usize,
        first: impl FnOnce(&mut Turn<usize, usize>) + Send,
        lead: impl Fn(usize, &mut Turn<usize, usize>) -> Result<usize> + Sync,
    ) -> Vec<Option<usize>> {
        thread::scope(|scope| {
            let (come, may_come) = channel();
            let (go, may_go) = channel();
            let leader = scope.spawn(move || {
                let answer = queue.ask(0, soon(), |turn| {
                    come.send(()).unwrap();
                    may_go.recv().unwrap();
                    first(turn);
                    Ok(0)
                });
                assert_eq!(answer.unwrap().unwrap(), 0);
            });
            may_come.recv().unwrap();
            let mut others: Vec<ScopedJoinHandle<_>> = Vec::new();
            for n in 1..=size {
                let lead = &lead;
                others.push(scope.spawn(move || queue.ask(n, soon(), |turn| lead(n, turn))));
                wait_for(queue, n);
            }
            go.send(()).unwrap();
            leader.join().unwrap();
            let answers = others.into_iter().map(|other| other.join().unwrap());
            answers.map(|answer| answer.unwrap().ok()).collect()
        })
    }

    #[test]
    fn turns_come_in_order() {
        let (queue, order) = (Questions::new(1), Mutex::new(Vec::new()));
        let answers = crowd(
            &queue,
            30,
            |_| (),
            |n, _| {
                order.lock().unwrap().push(n);
                Ok(n)
            },
        );
        assert_eq!(order.into_inner().unwrap(), (1..=30).collect::<Vec<_>>());
        assert_eq!(answers, (1..=30).map(Some).collect::<Vec<_>>());
    }

    #[test]
    fn who_waits_is_taken_along_and_answered() {
        let queue = Questions::new(1);
        let largest = LARGEST_GROUP;
        let answer_all = |turn: &mut Turn<usize, usize>| {
            let questions = turn.take_along();
            let numbers: Vec<usize> = questions.iter().map(|(question, _)| *question).collect();
            assert_eq!(numbers, (1..=largest).collect::<Vec<_>>());
            turn.answer(numbers.iter().map(|number| Ok(10 * number)));
        };
        let answers = crowd(&queue, largest + 2, answer_all, |n, _| Ok(n));
        let mut expected: Vec<_> = (1..=largest).map(|n| Some(10 * n)).collect();
        expected.extend([Some(largest + 1), Some(largest + 2)]);
        assert_eq!(answers, expected);
        assert_eq!(queue.line.lock().unwrap().free, 1);
    }

    #[test]
    fn no_more_have_a_turn_at_once_than_may() {
        let (queue, at_once, most) = (Questions::new(3), AtomicU8::new(0), AtomicU8::new(0));
        thread::scope(|scope| {
            for n in 0..30 {
                let (queue, at_once, most) = (&queue, &at_once, &most);
                scope.spawn(move || {
                    let answer = queue.ask(n, soon(), |_| {
                        most.fetch_max(
                            at_once.fetch_add(1, Ordering::SeqCst) + 1,
                            Ordering::SeqCst,
                        );
                        thread::sleep(Duration::from_millis(2));
                        at_once.fetch_sub(1, Ordering::SeqCst);
                        Ok(n)
                    });
                    assert_eq!(answer.unwrap().unwrap(), n);
                });
            }
        });
        assert_eq!(most.into_inner(), 3);
        assert_eq!(queue.line.lock().unwrap().free, 3);
    }

    /// Those whose answer does not come get an error, and the next one its turn.
    #[test]
    fn a_turn_that_ends_early_leaves_nobody_waiting() {
        let queue = Questions::new(1);
        let answers = crowd(
            &queue,
            3,
            |_| (),
            |n, turn| match n {
                1 => {
                    let panics = || {
                        turn.take_along();
                        panic!("a test");
                    };
                    let _ = catch_unwind(AssertUnwindSafe(panics));
                    Ok(1)
                }
                n => Ok(n),
            },
        );
        assert_eq!(answers, [Some(1), None, None]);
        let again = queue.ask(7, soon(), |_| Ok(7));
        assert_eq!(again.unwrap().unwrap(), 7);
    }

    #[test]
    fn who_has_waited_too_long_is_passed_over() {
        let queue = Questions::new(1);
        let hold = |_: &mut Turn<usize, usize>| {
            let short = Deadline::after(Duration::from_millis(20));
            assert!(queue.ask(8, short, |_| Ok(8)).is_none());
        };
        let answers = crowd(&queue, 2, hold, |n, turn| {
            assert!(turn.take_along().iter().all(|(question, _)| *question != 8));
            turn.answer([Ok(20)]);
            Ok(n)
        });
        assert_eq!(answers, [Some(1), Some(20)]);
    }
}
