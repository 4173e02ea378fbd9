/** Puts the suites that take minutes in front, so that the others run beside them and not before. */
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Where nothing is known of earlier runs, the runner goes by the length of a file. */
const LONGEST = ["test/chaos/suite/suite.test.ts"];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification): boolean =>
      LONGEST.some((file) => moduleId.endsWith(file));
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}
