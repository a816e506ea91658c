/** What may be shown of an address: reasons, consoles and events are kept for ever, and read by others. */

const ADDRESS = /\b([a-z][a-z0-9+.-]*:\/\/)([^\s'"<>]*)/gi;

/** A text whose addresses have lost their user, password, query and fragment. */
export function withoutSecrets(text: string): string {
  return text.replace(ADDRESS, (_, scheme: string, rest: string) => {
    const bare = rest.replace(/[?#].*$/s, '');
    const end = bare.indexOf('/');
    const authority = end === -1 ? bare : bare.slice(0, end);
    const path = end === -1 ? '' : bare.slice(end);
    return `${scheme}${authority.slice(authority.lastIndexOf('@') + 1)}${path}`;
  });
}
