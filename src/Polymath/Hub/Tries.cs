using System.Globalization;

namespace Polymath.Hub;

/// <summary>How often something that failed is tried again, and the waits between.</summary>
internal sealed class Tries(HubOptions options, Action<string> tell)
{
    private const int Most = 5;
    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(5);

    private int _failures;

    /// <summary>There was progress: failures are counted anew.</summary>
    public void Reset() => _failures = 0;

    /// <summary>Waits before the next try: as long as the server asks, else 1, 2, 4 … seconds.</summary>
    /// <exception cref="HubException">It has failed too often, or the wait would be too long: the failure itself.</exception>
    public async Task Again(HubException failure, CancellationToken cancellation)
    {
        if (failure.Wait > s_longest)
            throw new HubException($"{failure.Message} and asks to come back in {Seconds(failure.Wait)} s", failure);
        if (++_failures == Most)
            throw new HubException($"{failure.Message}; tried {Most} times", failure);
        TimeSpan wait = failure.Wait > TimeSpan.Zero ? failure.Wait : TimeSpan.FromSeconds(1 << (_failures - 1));
        tell($"{failure.Message}; trying again in {Seconds(wait)} s");
        await options.Delay(wait, cancellation).ConfigureAwait(false);
    }

    private static string Seconds(TimeSpan time) => Math.Ceiling(time.TotalSeconds).ToString(CultureInfo.InvariantCulture);
}
