using System.Globalization;
using Polymath.Generation;

namespace Polymath.Cli.Chat;

/// <summary>What /set changes: how replies are chosen and how long they are.</summary>
internal sealed class ChatSettings
{
    private static readonly Dictionary<string, Setting> All = new(StringComparer.OrdinalIgnoreCase)
    {
        ["temperature"] = Number(0, 100, (s, v) => s.Sampling with { Temperature = v }, s => s.Sampling.Temperature),
        ["top_k"] = Whole(0, int.MaxValue, (s, v) => s.Sampling with { TopK = v }, s => s.Sampling.TopK),
        ["top_p"] = Number(0, 1, (s, v) => s.Sampling with { TopP = v }, s => s.Sampling.TopP),
        ["min_p"] = Number(0, 1, (s, v) => s.Sampling with { MinP = v }, s => s.Sampling.MinP),
        ["repeat_penalty"] = Number(0.01f, 100, (s, v) => s.Sampling with { RepeatPenalty = v }, s => s.Sampling.RepeatPenalty),
        ["frequency_penalty"] = Number(-100, 100, (s, v) => s.Sampling with { FrequencyPenalty = v }, s => s.Sampling.FrequencyPenalty),
        ["presence_penalty"] = Number(-100, 100, (s, v) => s.Sampling with { PresencePenalty = v }, s => s.Sampling.PresencePenalty),
        ["seed"] = new("a whole number, or -1 for a new one each time", (s, text) =>
        {
            if (text != "-1" && !ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _))
                return false;
            s.Sampling = s.Sampling with { Seed = text == "-1" ? null : ulong.Parse(text, CultureInfo.InvariantCulture) };
            return true;
        }, s => s.Sampling.Seed?.ToString(CultureInfo.InvariantCulture) ?? "-1"),
        ["max_tokens"] = new("a whole number of at least -1", (s, text) =>
        {
            if (!int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int most) || most < -1)
                return false;
            s.MaxTokens = most;
            return true;
        }, s => s.MaxTokens.ToString(CultureInfo.InvariantCulture)),
        ["think"] = new("on, off or auto", (s, text) =>
        {
            if (text.ToLowerInvariant() is not ("on" or "off" or "auto"))
                return false;
            s.Thinking = text.ToLowerInvariant() switch { "on" => true, "off" => false, _ => null };
            return true;
        }, s => s.Thinking switch { true => "on", false => "off", _ => "auto" }),
    };

    /// <summary>How tokens are chosen.</summary>
    public SamplingOptions Sampling { get; set; } = new();

    /// <summary>Most tokens of a reply; −1 for no end but the context's.</summary>
    public int MaxTokens { get; set; } = -1;

    /// <summary>Whether the model shall reason; null as its template does by itself.</summary>
    public bool? Thinking { get; set; }

    /// <summary>A line for each setting.</summary>
    public IEnumerable<string> Lines => All.Select(pair => $"{pair.Key} = {pair.Value.Show(this)}");

    /// <summary>Changes a setting. Returns what is wrong, or null.</summary>
    public string? Set(string name, string value) =>
        !All.TryGetValue(name, out Setting? setting) ? $"no setting {name}; there are {string.Join(", ", All.Keys)}"
        : setting.TrySet(this, value) ? null : $"{name} takes {setting.Wanted}";

    private static Setting Number(float least, float most, Func<ChatSettings, float, SamplingOptions> with, Func<ChatSettings, float> get) => new(
        string.Create(CultureInfo.InvariantCulture, $"a number from {least} to {most}"),
        (s, text) =>
        {
            if (!float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out float value) || !(value >= least && value <= most))
                return false;
            s.Sampling = with(s, value);
            return true;
        },
        s => get(s).ToString(CultureInfo.InvariantCulture));

    private static Setting Whole(int least, int most, Func<ChatSettings, int, SamplingOptions> with, Func<ChatSettings, int> get) => new(
        $"a whole number of at least {least}",
        (s, text) =>
        {
            if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) || value < least || value > most)
                return false;
            s.Sampling = with(s, value);
            return true;
        },
        s => get(s).ToString(CultureInfo.InvariantCulture));

    private sealed record Setting(string Wanted, Func<ChatSettings, string, bool> TrySet, Func<ChatSettings, string> Show);
}
