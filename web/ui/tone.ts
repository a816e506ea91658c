/** How something stands: each tone has a colour and a sign. */
export type Tone = 'good' | 'bad' | 'busy' | 'quiet' | 'warn';
