/** A file of the API to keep. It is asked for with the token of this tab, which a plain link would not have. */
import { useSignal } from '@preact/signals';
import { request, toldOf } from '../api/client.ts';

export function Download({
  path,
  name,
  children,
}: {
  path: string;
  name: string;
  children: string;
}) {
  const trouble = useSignal('');
  const save = async (event: Event) => {
    event.preventDefault();
    try {
      const url = URL.createObjectURL(await (await request(path)).blob());
      const link = Object.assign(document.createElement('a'), { href: url, download: name });
      link.click();
      URL.revokeObjectURL(url);
      trouble.value = '';
    } catch (error) {
      trouble.value = toldOf(error);
    }
  };
  return (
    <>
      <a href={path} download={name} onClick={save}>
        {children}
      </a>
      {trouble.value !== '' && <span class="bad"> {trouble.value}</span>}
    </>
  );
}
