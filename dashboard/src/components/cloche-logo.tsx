/** The glass bell over a seedling. */
export function ClocheLogo({ size }: { size: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" stroke="var(--cloche-accent)" fill="none">
      <circle cx="16" cy="5" r="2.4" fill="var(--cloche-accent)" stroke="none" />
      <path d="M5 25V18.5a11 11 0 0 1 22 0V25Z" fill="var(--cloche-glass)" strokeWidth="2" strokeLinejoin="round" />
      <path
        d="M16 24v-6m0 0c0-3 2-4.5 5-4.5 0 3-2 4.5-5 4.5Zm0 1.5c0-2.5-1.800-3.800-4.5-3.800 0 2.5 1.800 3.800 4.5 3.800Z"
        fill="var(--cloche-accent)"
        strokeWidth="1.4"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
      <path d="M3 27.5h26" strokeWidth="2.4" strokeLinecap="round" />
    </svg>
  );
}
