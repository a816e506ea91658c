/** How large the text is, against what heights of rows were measured with: a wall is read from afar. */
import { signal } from '@preact/signals';

const ROOT_PIXELS = 13;

export const scale = signal(1);

const measure = (): void => {
  scale.value =
    Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / ROOT_PIXELS;
};
addEventListener('resize', measure);

/** Shows the page as on a wall, or as on a desk. */
export function setWall(isWall: boolean): void {
  document.documentElement.classList.toggle('wall', isWall);
  measure();
}
