/** How large the text is, against what heights of rows were measured with: a wall is read from afar. */
import { signal } from '@preact/signals';

const ROOT_PIXELS = 13;

export const scale = signal(1);

const measure = (): void => {
  scale.value =
    Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / ROOT_PIXELS;
};
addEventListener('resize', measure);

const WALL_PIXELS_MIN = 16;
const WALL_PART = 0.0085;

let isEnlarged = false;

/** What is measured in pixels grows whole: lanes are painted, and their places are counted. */
const enlarge = (): void => {
  const by = Math.max(WALL_PIXELS_MIN, innerWidth * WALL_PART) / ROOT_PIXELS;
  document.body.style.setProperty('zoom', isEnlarged ? String(by) : '');
};
addEventListener('resize', enlarge);

/** Shows the page as on a wall, or as on a desk. The lab has its own measures there: more boards are in sight. */
export function setWall(isWall: boolean, isLab: boolean): void {
  document.documentElement.classList.toggle('wall', isWall);
  document.documentElement.classList.toggle('wall-lab', isWall && isLab);
  isEnlarged = isWall && !isLab;
  enlarge();
  measure();
}
