using System.Globalization;

namespace Polymath.Benchmarks;

/// <summary>
/// One test: pp512 a prompt of 512 tokens, tg128 128 tokens one by one, tb4x32 32 tokens of each of 4 sequences in one
/// batch; with @8192 at the end after as many tokens as that.
/// </summary>
/// <param name="Name">As written.</param>
/// <param name="Command">What a peer is asked.</param>
/// <param name="Tokens">In one run.</param>
/// <param name="Steps">Passes over the weights in one run, where it is a decode test; 0 for a prompt.</param>
internal sealed record SpeedTest(string Name, string Command, int Tokens, int Steps)
{
    /// <summary>Reads a list with commas.</summary>
    /// <exception cref="ArgumentException">One of them is no test.</exception>
    public static SpeedTest[] ParseAll(string names) => [.. names.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(Parse)];

    private static SpeedTest Parse(string name)
    {
        string[] parts = name.Split('@');
        int depth = parts.Length == 2 ? Number(parts[1].TrimStart('d'), name) : 0;
        string kind = name.Length > 2 && parts.Length <= 2 ? name[..2] : "", after = depth > 0 ? $" {depth}" : "";
        string[] counts = kind.Length > 0 ? parts[0][2..].Split('x') : [];
        switch (kind, counts.Length)
        {
            case ("pp" or "tg", 1):
                int tokens = Number(counts[0], name);
                return new SpeedTest(name, $"{kind} {tokens}{after}", tokens, kind == "tg" ? tokens : 0);
            case ("tb", 2):
                (int sequences, int steps) = (Number(counts[0], name), Number(counts[1], name));
                return new SpeedTest(name, $"tb {sequences} {steps}{after}", sequences * steps, steps);
            default:
                throw Wrong(name);
        }
    }

    private static int Number(string text, string name) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int n) && n > 0 ? n : throw Wrong(name);

    private static ArgumentException Wrong(string name) => new($"{name} is no test; pp512, tg128, tg128@8192 and tb4x32 are");
}
