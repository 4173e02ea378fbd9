/** A judge that can never condemn is none: a sound run is found sound, and the breaks that matter are found. */
import { describe, expect, it } from "vitest";
import { PROMISES, type Evidence } from "../evidence.ts";
import { judge, untried } from "./judge.ts";
import { frame, gap, open, START } from "./sound-run.ts";
import { findingOf, noteIn, page, run, the, violations, type Change } from "./tampering.ts";

it("a sound run keeps every promise, and each promise held something", () => {
  const findings = judge(run());
  expect(violations(run())).toEqual([]);
  expect(findings.map(({ promise }) => promise)).toEqual([...PROMISES]);
  expect(findings.filter(({ checked, excluded }) => checked === 0 || excluded > 0)).toEqual([]);
});

it("a run in which nothing happened says nothing, and says so", () => {
  const nothing = run((draft) => {
    draft.asked = [];
    draft.tabs = [];
    draft.texts = [];
    draft.pushes = [];
    draft.statement.notes = [];
    draft.statement.audit = [];
    draft.statement.outcomes = [];
  });
  expect(untried(judge(run()))).toEqual([]);
  expect(untried(judge(nothing))).toEqual([
    "accepted once",
    "shown in order",
    "nothing missed",
    "shown once",
    "texted once",
    "providers agree",
    "audited once",
    "confirmed by acks",
    "told to Kafka",
  ]);
});

describe("five breaks of the product", () => {
  it("a due entry that is dropped leaves a note for ever", () => {
    const dropped = run((draft) => {
      const note = noteIn(draft, "n2");
      note.status = "queued";
      note.channels.websocket = "queued";
    });
    expect(violations(dropped)).toContain("settled: n2 is still queued");
  });

  it("a fence that is skipped settles a note twice", () => {
    const skipped = run((draft) => {
      draft.statement.audit.push({ event: "settled", notificationId: "n1" });
      draft.statement.analytics.statuses.delivered += 1;
    });
    expect(violations(skipped)).toEqual([
      "counted once: status delivered is 6; the notes say 5",
      "audited once: n1 is audited as settled 2 times, not 1",
    ]);
  });

  it("what is counted twice does not add up", () => {
    const counted = run((draft) => {
      draft.statement.analytics.delivery_stats.push.delivered += 1;
    });
    expect(violations(counted)).toEqual(["counted once: push delivered is 2; the notes say 1"]);
  });

  it("a replay id that is given twice stands for two messages", () => {
    const reused = run((draft) => {
      const { events } = page(draft);
      events.splice(4, 1, frame(1, "n2", "k-2"));
    });
    const said = violations(reused);
    expect(said).toContain("shown in order: ann/1: 1 of e1 came behind 1 of e1");
    expect(said).toContain("shown in order: ann: 1 of e1 was n1 and n2");
  });

  it("an SMS that is sent again rings twice", () => {
    const resent = run((draft) => {
      draft.texts.push({ at: START + 1_500, to: "+46701", key: "k-4", answered: true });
    });
    expect(violations(resent)).toEqual(["texted once: k-4 was texted 2 times to +46701"]);
  });
});

/** What looks wrong and is not. */
const LAWFUL: readonly (readonly [string, Change])[] = [
  [
    "a message that came again after a reconnect, and was shown once",
    (draft) => {
      page(draft).events.splice(7, 0, open("e1", 2, { replayId: 1, epoch: "e1" }));
      page(draft).events.splice(8, 0, frame(2, "n2", "k-2"));
    },
  ],
  [
    "a request whose answer never came, which was taken",
    (draft) => Object.assign(the(draft.asked[2]), { ids: [], acceptedAt: undefined }),
  ],
  [
    "an SMS that was taken at another time than it seems, and so was not found",
    (draft) => {
      draft.texts.push({ at: START + 100, to: "+46702", key: "k-5", answered: false });
      draft.redisClockStepped = true;
    },
  ],
];

describe("what is lawful is not held against the product", () => {
  it.each(LAWFUL)("%s", (_what, change) => {
    expect(violations(run(change))).toEqual([]);
  });

  it("a push whose worker died with the answer, and that failed when it was tried again", () => {
    const died = run((draft) => {
      const note = noteIn(draft, "n3");
      const push = (afterMs: number, from: string, to: string) => ({
        at: new Date(START + afterMs).toISOString(),
        channel: "push" as const,
        from,
        to,
      });
      note.channels.push = "failed";
      note.timeline.splice(
        3,
        3,
        push(1_030, "sending", "pending"),
        push(2_000, "pending", "sending"),
        push(2_010, "sending", "failed"),
      );
    });
    expect(findingOf(died, "providers agree").violations).toEqual([]);
  });
});

describe("a Redis that was taken back", () => {
  const takenBack = (change: Change): Evidence =>
    run((draft) => {
      draft.survivedUntil = START + 5;
      draft.restoredAt = START + 60;
      change(draft);
    });

  it("excuses what was accepted behind the surviving point, and counts it", () => {
    const lost = takenBack((draft) => the(draft.asked[0]).ids.push("n1-again"));
    expect(findingOf(lost, "accepted once")).toMatchObject({ violations: [], excluded: 7 });
  });

  it("excuses a text that was sent then, and sent again", () => {
    const again = takenBack((draft) => {
      draft.texts.push({ at: START + 2_000, to: "+46701", key: "k-4", answered: true });
    });
    expect(findingOf(again, "texted once")).toMatchObject({ violations: [], excluded: 1 });
    const third = { at: START + 90_000, to: "+46701", key: "k-4", answered: true };
    const more = { ...again, texts: [...again.texts, third] };
    expect(findingOf(more, "texted once").violations).toEqual(["k-4 was texted 3 times"]);
  });

  it("excuses one more id for a request that was under way, and no third", () => {
    const again = (...ids: readonly string[]) =>
      takenBack((draft) => {
        Object.assign(the(draft.asked[0]), { acceptedAt: START + 20_000, ids: ["n1"] });
        page(draft).events.splice(1, 0, ...ids.map((id) => frame(1, id, "k-1", "e0")));
      });
    expect(findingOf(again("n0"), "accepted once").violations).toEqual([]);
    expect(findingOf(again("n0", "n00"), "accepted once").violations).toEqual([
      "k-1 was shown as n1, n0, n00",
    ]);
  });

  it("excuses nothing that was asked of the one that had come back", () => {
    const lost = takenBack((draft) => {
      Object.assign(the(draft.asked[0]), { askedAt: START + 61, acceptedAt: START + 70 });
      draft.statement.notes.splice(0, 1);
    });
    expect(findingOf(lost, "accepted once").violations).toContain(
      "k-1, accepted by rest, has 0 notes  (answered: n1)",
    );
  });

  it("excuses what Kafka was told of and is gone, as far as something can be gone", () => {
    const told = (lost: number) =>
      takenBack((draft) => {
        for (const asked of draft.asked.slice(lost)) asked.acceptedAt = START + 1;
        draft.statement.outcomes.push(
          { notificationId: "x1", outcome: "settled", status: "failed" },
          { notificationId: "x2", outcome: "settled", status: "failed" },
        );
      });
    // Of an event it is not known when it became a note.
    expect(findingOf(told(2), "told to Kafka")).toMatchObject({ violations: [], excluded: 2 });
    expect(findingOf(told(0), "told to Kafka").violations).toEqual([
      "Kafka was told of x2 (failed), which is no note",
    ]);
  });

  it("excuses what Kafka was told before and got behind what was told since, and no silence", () => {
    const told = (...statuses: readonly ("delivered" | "stored")[]) =>
      takenBack((draft) => {
        const others = draft.statement.outcomes.filter((one) => one.notificationId !== "n1");
        const events = statuses.map((status) => ({
          notificationId: "n1",
          outcome: "settled",
          status,
        }));
        draft.statement.outcomes = [...others, ...events];
      });
    expect(findingOf(told("delivered", "stored"), "told to Kafka")).toMatchObject({
      violations: [],
      excluded: 1,
    });
    expect(findingOf(told("stored", "stored"), "told to Kafka").violations).toEqual([
      "Kafka was told last that n1 is stored; it is delivered",
    ]);
  });

  it("does not excuse a text that was begun before", () => {
    const again = takenBack((draft) => {
      draft.survivedUntil = START + 1_000;
      draft.restoredAt = START + 3_000;
      draft.texts.push({ at: START + 2_000, to: "+46701", key: "k-4", answered: true });
    });
    expect(findingOf(again, "texted once").violations).toEqual([
      "k-4 was texted 2 times to +46701",
    ]);
  });

  it("excuses nothing that was accepted before", () => {
    const lost = takenBack((draft) => {
      the(draft.asked[0]).acceptedAt = START + 5;
      draft.statement.notes.splice(0, 1);
    });
    expect(findingOf(lost, "accepted once").violations).toEqual([
      "k-1, accepted by rest, has 0 notes  (answered: n1)",
    ]);
  });

  it("excuses nothing that came long after it was back", () => {
    const late = takenBack((draft) => {
      the(draft.asked[0]).acceptedAt = START + 20_000;
      the(draft.asked[0]).ids.push("n1-again");
    });
    expect(findingOf(late, "accepted once").violations).toEqual([
      "k-1 was answered with 2 ids: n1, n1-again",
    ]);
  });

  it("does not excuse figures that do not add up", () => {
    const counted = takenBack((draft) => void (draft.statement.analytics.late = 2));
    expect(findingOf(counted, "counted once").violations).toHaveLength(1);
  });
});

describe("a gap", () => {
  /** The second message never came; what was said of it in its stead. */
  const without = (announced: ReturnType<typeof gap>) =>
    run((draft) => {
      page(draft).events.splice(4, 4, announced);
      draft.statement.notes.splice(1, 1);
    });
  const said = (evidence: Evidence) =>
    findingOf(evidence, "shown in order").violations.concat(
      findingOf(evidence, "nothing missed").violations,
    );

  it("excuses what it covers", () => {
    expect(said(without(gap("trimmed", "e1", 3)))).toEqual([]);
  });

  it("excuses no more than that", () => {
    expect(said(without(gap("trimmed", "e1", 2)))).toEqual(["ann/1: 3 of e1 came behind 1 of e1"]);
  });
});
