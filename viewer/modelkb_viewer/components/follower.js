// Asks each second how far an experiment has come, which costs the server next to nothing, and
// says so when it has come further: only then is the page drawn again. It also is now and then
// where nothing new has come, for it tells how long the run has lasted.

const SECOND = 1000;
const PAUSE_AFTER_CHANGE = 2 * SECOND;
const LONGEST_WITHOUT = 10 * SECOND;

const stops = new WeakMap();

export default function ({ parentElement, data, setTriggerValue }) {
    stops.get(parentElement)?.();
    let known = data.progress;
    let told = Date.now();
    let timer = setTimeout(look, SECOND);

    async function look() {
        const pause = document.hidden || !(await isTimeToTell()) ? SECOND : PAUSE_AFTER_CHANGE;
        if (timer !== null) {
            timer = setTimeout(look, pause);
        }
    }

    async function isTimeToTell() {
        const progress = await asked();
        if (progress === known && Date.now() - told < LONGEST_WITHOUT) {
            return false;
        }
        known = progress;
        told = Date.now();
        setTriggerValue("further", progress);
        return true;
    }

    // A server that cannot answer, or asks to sign in, is told the page by its own connection.
    async function asked() {
        try {
            const answer = await fetch(data.address, { cache: "no-store" });
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
