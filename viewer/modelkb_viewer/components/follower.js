// Asks every two seconds how far an experiment has come, which costs the server little, and says so
// when it has come further: only then is the page drawn again. Every ten seconds without
// anything new it says that it is later, for the page tells how long the run has lasted.

const PAUSE = 2000;
const LATER = 10000;
const LONGEST_ANSWER = 10000;

const stops = new WeakMap();

export default function ({ parentElement, data, setTriggerValue }) {
    stops.get(parentElement)?.();
    let known = data.progress;
    let told = Date.now();
    let timer = setTimeout(look, PAUSE);

    async function look() {
        try {
            if (!document.hidden) {
                tell(await asked());
            }
        } finally {
            if (timer !== null) {
                timer = setTimeout(look, PAUSE);
            }
        }
    }

    function tell(progress) {
        const isFurther = progress !== known;
        if (timer !== null && (isFurther || Date.now() - told >= LATER)) {
            known = progress;
            told = Date.now();
            setTriggerValue(isFurther ? "further" : "later", progress);
        }
    }

    // A server that cannot answer, or asks to sign in, is told the page by its own connection.
    async function asked() {
        try {
            const signal = AbortSignal.timeout(LONGEST_ANSWER);
            const answer = await fetch(data.address, { cache: "no-store", signal });
            return answer.ok ? await answer.text() : known;
        } catch {
            return known;
        }
    }

    function stop() {
        clearTimeout(timer);
        timer = null;
    }
    stops.set(parentElement, stop);
    return stop;
}
