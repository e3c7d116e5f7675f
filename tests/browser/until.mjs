// Waiting for what a page must ask for, such as its statistics.

const PAUSE = 250;

/**
 * Waits until `ask(argument)`, run in the page, gives something true. Playwright's `waitForFunction` takes the promise of an asynchronous
 * function for a yes, whatever comes of it; this one waits for the answer.
 */
export async function until(page, ask, argument, patience) {
  const end = Date.now() + patience;
  for (;;) {
    const answer = await page.evaluate(ask, argument);
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`still not so after ${patience} ms: ${ask}`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}
