using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Polymath.Text.Templates;
using Xunit;

namespace Polymath.Golden.Text;

/// <summary>Chat templates and snippets of their language against @huggingface/jinja; made by tools/reference/templates.mjs.</summary>
public sealed class ChatTemplateGoldenTests
{
    private static readonly JsonElement Templates = Read("chat-templates.json"), Snippets = Read("template-snippets.json");

    /// <summary>What the reference refuses and Jinja2 has: tuples that are shown, and filters on more kinds of values.</summary>
    private static readonly HashSet<string> Wider =
    [
        "{{ list in nested }}", "{{ (1, 2) }}", "{{ (1,) }}", "{{ () }}", "{{ blank|first }}", "{{ blank|last }}", "{{ map|list }}",
        "{{ s|list|length > 3 }}", "{% set x = 1, 2 %}{{ x }}",
    ];

    /// <summary>Conversations for which a template repeats a text, as Jinja2 can and the reference cannot.</summary>
    private static readonly HashSet<(string Template, string Case)> WiderCases =
        [("Reka-Edge.jinja", "parts with an image"), ("Reka-Edge.jinja", "parts with an image, no prompt")];

    public static TheoryData<string> Names => [.. Templates.GetProperty("templates").EnumerateObject().Select(template => template.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_template_renders_every_conversation_as_the_reference_does(string name)
    {
        string source = File.ReadAllText(Shared.Require(Path.Combine("data", "templates", name)));
        string[] expected = [.. Templates.GetProperty("templates").GetProperty(name).EnumerateArray().Select(hash => hash.GetString()!)];
        JsonProperty[] cases = [.. Templates.GetProperty("cases").EnumerateObject()];
        Assert.Equal(cases.Length, expected.Length);
        var wrong = new List<string>();
        for (int i = 0; i < cases.Length; i++)
        {
            string? rendered = Render(source, cases[i].Value);
            bool wider = expected[i].Length == 0 && rendered is not null && WiderCases.Contains((name, cases[i].Name));
            if (Hash(rendered) != expected[i] && !wider)
                wrong.Add(cases[i].Name);
        }

        Assert.Empty(wrong);
    }

    [Theory]
    [InlineData("{{ 'ab' * 3 }}", "ababab")]
    [InlineData("{{ 'ab' * 0 }}{{ 'ab' * -2 }}{{ '' * 99999999999 }}", "")]
    public void A_text_can_be_repeated_as_in_Jinja2(string source, string expected) =>
        Assert.Equal(expected, Render(source, Snippets.GetProperty("variables")));

    [Fact]
    public void Snippets_render_as_the_reference_renders_them_and_fail_where_it_fails()
    {
        var wrong = new List<string>();
        int count = 0;
        foreach (JsonElement snippet in Snippets.GetProperty("snippets").EnumerateArray())
        {
            count++;
            string source = snippet[0].GetString()!;
            string? expected = snippet[1].GetString(), found = Render(source, Snippets.GetProperty("variables"));
            if (found != expected && !(expected is null && Wider.Contains(source)))
                wrong.Add($"{source}: {found ?? "refused"}, not {expected ?? "refused"}");
        }

        Assert.True(count > 700);
        Assert.Empty(wrong);
    }

    private static string? Render(string source, JsonElement variables)
    {
        var values = variables.EnumerateObject().ToDictionary(entry => entry.Name, entry => TemplateValue.FromJson(entry.Value));
        try
        {
            return ChatTemplate.Parse(source).Render(values, null, new StoppedClock());
        }
        catch (TemplateException)
        {
            return null;
        }
    }

    private static string Hash(string? text) =>
        text is null ? "" : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..12];

    private static JsonElement Read(string name)
    {
        using JsonDocument document = JsonDocument.Parse(
            File.ReadAllBytes(Path.Combine(Shared.ProjectRoot, "tests", "Polymath.Golden", "Data", name)));
        return document.RootElement.Clone();
    }

    /// <summary>The moment at which the values were made.</summary>
    private sealed class StoppedClock : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override DateTimeOffset GetUtcNow() => new(2025, 3, 7, 9, 5, 4, TimeSpan.Zero);

        public override long GetTimestamp() => 0;
    }
}
