/** From where domain events are read, and by which of its names each is known. */
import { describe, expect, it } from "vitest";
import { createEventTable, subscribedTopics } from "../../src/projectors/event-table.ts";
import { testConfig } from "./records.ts";
import { SAMPLES } from "./samples.ts";

const SECOND_NAMES = [
  "huleedu.class.student.created.v1",
  "huleedu.class.essay.association.updated.v1",
  "huleedu.file.essay.content.provisioned.v1",
  "huleedu.file.essay.validation.failed.v1",
];

describe("the topics", () => {
  it("are the documented seventeen in their order, then those of slots and second names", () => {
    const topics = subscribedTopics(testConfig());
    expect(topics.slice(0, 17)).toEqual([
      "huleedu.file.batch.file.added.v1",
      "huleedu.file.batch.file.removed.v1",
      "huleedu.batch.essays.ready.v1",
      "huleedu.batch.validation.errors.v1",
      "huleedu.batch.content.provisioning.completed.v1",
      "huleedu.batch.author.matches.suggested.v1",
      "huleedu.class.student.associations.confirmed.v1",
      "huleedu.class.validation.timeout.processed.v1",
      "huleedu.cj_assessment.completed.v1",
      "huleedu.cj_assessment.failed.v1",
      "huleedu.essay.spellcheck.completed.v1",
      "huleedu.els.batch.phase.outcome.v1",
      "huleedu.essay.content.provisioned.v1",
      "huleedu.essay.validation.failed.v1",
      "huleedu.class.created.v1",
      "huleedu.student.created.v1",
      "huleedu.essay.student.association.updated.v1",
    ]);
    expect(topics.slice(17)).toEqual(["huleedu.els.essay.slot.assigned.v1", ...SECOND_NAMES]);
  });

  it("take an installation's own names in the same places, and its prefix", () => {
    const config = testConfig({
      BATCH_ESSAYS_READY_TOPIC: "school.ready",
      STUDENT_CREATED_TOPIC: "school.pupils",
      KAFKA_TOPIC_PREFIX: "north.",
    });
    const topics = subscribedTopics(config);
    expect(topics[2]).toBe("north.school.ready");
    expect(topics[15]).toBe("north.school.pupils");
    expect(topics).toHaveLength(22);
    expect(topics.every((topic) => topic.startsWith("north."))).toBe(true);
  });

  it("are named once where two kinds of event share one", () => {
    const shared = { CLASS_CREATED_TOPIC: "school.all", STUDENT_CREATED_TOPIC: "school.all" };
    const topics = subscribedTopics(testConfig(shared));
    expect(topics).toHaveLength(21);
    expect(new Set(topics).size).toBe(21);
  });
});

describe("an event", () => {
  it.each(
    SAMPLES.flatMap(({ type, secondType }) => [
      [type, type],
      [secondType ?? type, type],
    ]),
  )("of type %s is known", (name, type) => {
    expect(createEventTable(testConfig()).ofType(name)?.type).toBe(type);
  });

  it("is known by its topic's name too, where the installation has chosen another", () => {
    const table = createEventTable(testConfig({ CLASS_CREATED_TOPIC: "school.classes" }));
    expect(table.ofType("school.classes")?.type).toBe("huleedu.class.created.v1");
    expect(table.ofType("huleedu.class.created.v1")?.type).toBe("huleedu.class.created.v1");
  });

  it("keeps its meaning where a topic is given the name of another event", () => {
    const name = "huleedu.class.student.created.v1";
    const table = createEventTable(testConfig({ CLASS_CREATED_TOPIC: name }));
    expect(table.ofType(name)?.notification).toBe("student_created");
  });

  it("without a type has that of its topic, whose prefix says nothing", () => {
    const table = createEventTable(testConfig({ KAFKA_TOPIC_PREFIX: "north." }));
    expect(table.ofTopic("north.huleedu.class.created.v1")?.notification).toBe("class_created");
    expect(table.ofTopic(`north.${SECOND_NAMES[0]}`)?.notification).toBe("student_created");
    expect(table.ofTopic("huleedu.class.created.v1")).toBeUndefined();
  });
});
