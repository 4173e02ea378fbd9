/** What a browser does that replaces its subscription by itself, as texts that its service worker or page runs. */

/** As the page does when it subscribed. The text is run by the browser. */
export const keep = (renewal: string): string => `new Promise((resolve, reject) => {
  const opening = indexedDB.open("schoolbell-renewal", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("renewal");
  opening.onerror = reject;
  opening.onsuccess = () => {
    const put = opening.result.transaction("renewal", "readwrite").objectStore("renewal")
      .put(${JSON.stringify(renewal)}, "current");
    put.onsuccess = () => { opening.result.close(); resolve(); };
  };
})`;

/** As the browser does: no test can have Chromium's push service do it. */
export const change = (next: unknown): string => `(async () => {
  const event = new ExtendableEvent("pushsubscriptionchange");
  const json = ${JSON.stringify(next)};
  event.newSubscription = { ...json, options: { applicationServerKey: null }, toJSON: () => json };
  let done;
  event.waitUntil = (work) => { done = work; };
  self.dispatchEvent(event);
  await done;
})()`;
