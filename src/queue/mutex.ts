/** One after the other: whoever asks while others are at work waits for them, in order. */

/** Returns a function that runs work once all that was given before has ended, however it ended. */
export function createMutex(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const done = last.then(work);
    last = done.catch(() => {});
    return done;
  };
}
