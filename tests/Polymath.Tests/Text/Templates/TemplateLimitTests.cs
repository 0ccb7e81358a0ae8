using System.Text.Json;
using Polymath.Text.Templates;
using Xunit;

namespace Polymath.Tests.Text.Templates;

/// <summary>Hostile templates: every limit holds, and mutated ones end in a text or a typed error.</summary>
public sealed class TemplateLimitTests
{
    private const int Seed = 29, Rounds = 10_000;

    private static readonly Dictionary<string, TemplateValue> None = [];

    /// <summary>A clock that stands still, so that no test depends on the machine's speed.</summary>
    private static readonly Clock Still = new(TimeSpan.Zero);

    [Theory]
    [InlineData("{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}", "steps")]
    [InlineData("{% for a in range(9000000000) %}{% endfor %}", "steps")]
    [InlineData("{% set ns = namespace(s='xxxxxxxxxxxxxxxx') %}{% for a in range(40) %}{% set ns.s = ns.s + ns.s %}{% endfor %}", "bytes")]
    [InlineData("{% set ns = namespace(s=[1]) %}{% for a in range(40) %}{% set ns.s = ns.s + ns.s %}{% endfor %}", "bytes")]
    [InlineData("{% set s = 'x' * 1 if false else 'x'|center(1000000) %}{% for a in range(100) %}{{ s }}{% endfor %}", "bytes")]
    [InlineData("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "calls inside each other")]
    [InlineData("{% macro m() %}{% for a in [1] %}{% if a %}{{ (m()|upper) ~ '' }}{% endif %}{% endfor %}{% endmacro %}{{ m() }}", "inside each other")]
    [InlineData("{% set ns = namespace() %}{% set ns.ns = ns %}{{ ns|tojson }}", "deep")]
    [InlineData("{% set ns = namespace() %}{% set ns.l = [ns, ns] %}{{ ns }}", "deep")]
    [InlineData("{% set ns = namespace(l=[]) %}{% for a in range(200) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l }}", "deep")]
    [InlineData("{% set ns = namespace(l=[]) %}{% for a in range(100000) %}{% set ns.l = [ns.l, loop] %}{% endfor %}", "bytes")]
    [InlineData("{{ [1]|tojson(indent=100000000) }}", "indent")]
    [InlineData("{{ 'a\n'|indent(1000000000) }}", "width")]
    [InlineData("{{ 'x'|center(1000000000) }}", "width")]
    [InlineData("{{ '%999999999d'|format(1) }}", "wide")]
    [InlineData("{% set s = 'a'|center(1000000)|replace(' ', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa') %}", "bytes")]
    public void A_greedy_template_is_stopped(string source, string limit)
    {
        var error = Assert.Throws<TemplateException>(() => ChatTemplate.Parse(source).Render(None, null, Still));
        Assert.Contains(limit, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{{ ", "(", "1")]
    [InlineData("{{ ", "[", "1")]
    [InlineData("{{ ", "-", "1")]
    [InlineData("{{ ", "not ", "1")]
    [InlineData("{{ ", "{'a':", "1")]
    [InlineData("{{ ", "a if b else ", "1")]
    [InlineData("{{ ", "f(", "1")]
    [InlineData("{{ a", "[0]", "")]
    [InlineData("{{ a", "|upper", "")]
    [InlineData("{{ a", " is string", "")]
    [InlineData("{{ 1", "+1", "")]
    [InlineData("{{ 1", " or 1", "")]
    [InlineData("{{ 1", "()", "")]
    [InlineData("", "{% if a %}", "")]
    [InlineData("", "{% for a in b %}", "")]
    [InlineData("", "{% macro m() %}", "")]
    public void Endless_nesting_is_refused(string start, string repeated, string end)
    {
        string source = start + string.Concat(Enumerable.Repeat(repeated, 100_000 / repeated.Length)) + end;
        Assert.Throws<TemplateException>(() => ChatTemplate.Parse(source).Render(None, null, Still));
    }

    [Fact]
    public void A_source_that_is_too_long_is_refused() => Assert.Throws<TemplateException>(() => ChatTemplate.Parse(new string('a', 300_000)));

    [Fact]
    public void Longest_chains_and_deepest_calls_that_are_allowed_work()
    {
        string sum = "{{ 1" + string.Concat(Enumerable.Repeat(" + 1", 400)) + " }}";
        Assert.Equal("401", ChatTemplate.Parse(sum).Render(None, null, Still));
        string calls = "{% macro m(n) %}{% if n > 1 %}{{ m(n - 1) }}{% endif %}{{ n }},{% endmacro %}{{ m(100) }}";
        Assert.EndsWith("99,100,", ChatTemplate.Parse(calls).Render(None, null, Still), StringComparison.Ordinal);
    }

    [Fact]
    public void Time_and_cancellation_stop_a_rendering()
    {
        ChatTemplate template = ChatTemplate.Parse("{% for a in range(100000) %}{{ a }}{% endfor %}");
        var error = Assert.Throws<TemplateException>(() => template.Render(None, null, new Clock(TimeSpan.FromMilliseconds(10))));
        Assert.Contains("250 ms", error.Message, StringComparison.Ordinal);
        using var source = new CancellationTokenSource();
        source.Cancel();
        Assert.Throws<OperationCanceledException>(() => template.Render(None, null, Still, source.Token));
    }

    [Fact]
    public void Mutated_templates_end_in_a_text_or_a_typed_error()
    {
        (int rendered, int refused) = Fuzz(Rounds, planted: false);
        Assert.True(rendered > Rounds / 20 && refused > Rounds / 20, $"{rendered} rendered, {refused} refused: the mutations say nothing");
    }

    [Fact]
    public void An_interpreter_without_one_of_the_checks_is_found_out() =>
        Assert.Throws<InvalidOperationException>(() => Fuzz(Rounds, planted: true));

    private static (int Rendered, int Refused) Fuzz(int rounds, bool planted)
    {
        string path = Path.Combine(Shared.ProjectRoot, "tests", "Polymath.Golden", "Data", "template-snippets.json");
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
        string[] sources = [.. document.RootElement.GetProperty("snippets").EnumerateArray().Select(snippet => snippet[0].GetString()!)];
        var variables = document.RootElement.GetProperty("variables").EnumerateObject().ToDictionary(v => v.Name, v => TemplateValue.FromJson(v.Value));
        var limits = new TemplateLimits { Steps = 20_000, OutputBytes = 1 << 20, ValueBytes = 4 << 20 };
        var random = new Random(Seed);
        int rendered = 0, refused = 0;
        for (int round = 0; round < rounds; round++)
        {
            string source = Mutate(sources, random);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                Assert.True(ChatTemplate.Parse(source).Render(variables, limits, Still).Length <= limits.OutputBytes, source);
                rendered++;
            }
            catch (TemplateException e)
            {
                refused++;
                Assert.DoesNotContain('\n', e.Message);
                if (planted && e.Message.Contains("is no index", StringComparison.Ordinal))
                    throw new InvalidOperationException("planted");
            }

            long taken = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(taken < 48L << 20, $"{taken} bytes for {source}");
        }

        return (rendered, refused);
    }

    /// <summary>One to three templates joined, then pieces taken out, doubled, moved or replaced.</summary>
    private static string Mutate(string[] sources, Random random)
    {
        string text = string.Concat(Enumerable.Range(0, random.Next(1, 4)).Select(_ => sources[random.Next(sources.Length)]));
        for (int changes = random.Next(1, 4); changes > 0 && text.Length > 0; changes--)
        {
            int start = random.Next(text.Length), length = Math.Min(random.Next(1, 12), text.Length - start);
            string piece = text.Substring(start, length);
            string other = sources[random.Next(sources.Length)];
            int from = random.Next(other.Length + 1);
            text = random.Next(4) switch
            {
                0 => text.Remove(start, length),
                1 => text.Insert(start, piece),
                2 => text.Remove(start, length).Insert(random.Next(text.Length - length + 1), piece),
                _ => text.Remove(start, length).Insert(start, other[from..Math.Min(other.Length, from + 8)]),
            };
        }

        return text;
    }

    /// <summary>A clock that goes on by the same step whenever it is looked at.</summary>
    private sealed class Clock(TimeSpan step) : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch;

        public override long GetTimestamp() => _ticks += step.Ticks;
    }
}
