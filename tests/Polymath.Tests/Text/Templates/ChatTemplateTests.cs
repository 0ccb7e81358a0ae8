using Polymath.Files;
using Polymath.Files.HuggingFace;
using Polymath.Tests.Files;
using Polymath.Text.Templates;
using Xunit;

namespace Polymath.Tests.Text.Templates;

/// <summary>Chat templates from outside: what the reference engine lacks, errors and their places, a model's templates.</summary>
public sealed class ChatTemplateTests
{
    private static readonly Dictionary<string, TemplateValue> Variables = new()
    {
        ["list"] = TemplateValue.Parse("[3, 1, 2]"),
        ["words"] = TemplateValue.Parse("""["pear", "Apple", "fig"]"""),
        ["people"] = TemplateValue.Parse("""[{"name": "Ann", "age": 30}, {"name": "Bob", "age": 25}, {"name": "Cy", "age": 30}]"""),
        ["s"] = "Hello World",
        ["html"] = "<a href=\"x\">it's</a>",
        ["half"] = 2.5,
    };

    [Theory]
    [InlineData("{{ list|select('odd')|list }}{{ list|reject('gt', 2)|join(',') }}", "[3, 1]1,2")]
    [InlineData("{{ words|map('upper')|join(' ') }}{{ people|map(attribute='age')|sum }}", "PEAR APPLE FIG85")]
    [InlineData("{{ people|sum(attribute='age') }}{{ list|min }}{{ list|max }}{{ words|max }}", "8513pear")]
    [InlineData("{% for age, group in people|groupby('age') %}{{ age }}:{{ group|map(attribute='name')|join('+') }};{% endfor %}", "25:Bob;30:Ann+Cy;")]
    [InlineData("{{ range(5)|batch(2)|list }}{{ range(5)|batch(2, 'x')|last }}{{ range(5)|slice(3)|list }}", "[[0, 1], [2, 3], [4]][4, \"x\"][[0, 1], [2, 3], [4]]")]
    [InlineData("{{ 7 is divisibleby(7) }}{{ 3 is eq 3 }}{{ 3 is in [3] }}{{ 2 is gt(3) }}{{ half is float }}{{ 1 is ne 2 }}", "truetruetruefalsetruetrue")]
    [InlineData("{{ 5 if 5 is divisibleby 5 and 4 is even else 6 }}", "5")]
    [InlineData("{{ html|e }}{{ '[1, {\"a\": null}]'|fromjson }}", "&lt;a href=&#34;x&#34;&gt;it&#39;s&lt;/a&gt;[1, {\"a\": null}]")]
    [InlineData("{{ 2.5|round }}{{ 2.567|round(2) }}{{ 2.1|round(0, 'ceil') }}{{ '%s-%d' | format('a', 5) }}", "2.02.573.0a-5")]
    [InlineData("{{ s.find('o') }}{{ s.rfind('o') }}{{ s.count('l') }}{{ s.find('zz') }}{{ s.index('W') }}", "473-16")]
    [InlineData("{{ ', '.join(words) }}{{ s.removeprefix('Hello ') }}{{ '12'.isdigit() }}{{ 'x'.zfill(3) }}", "pear, Apple, figWorldtrue00x")]
    [InlineData("{{ '--a-'.strip('-') }}{{ '\"q\"'.strip('\"') }}{{ 'a-b-c'.rsplit('-', 1) }}{{ 'a=b'.partition('=') }}", "aq[\"a-b\", \"c\"][\"a\", \"=\", \"b\"]")]
    [InlineData("{% raw %}{{ x }}{% endraw %}{% do list %}{% with a = 1 %}{{ a }}{% endwith %}{{ a }}", "{{ x }}1")]
    [InlineData("a\n  {%+ if true %}b{% endif +%}\nc", "a\n  b\nc")]
    [InlineData("{{ dict(a=1, b=2) }}{{ loop is defined }}{% for x in list %}{{ loop.cycle('a', 'b') }}{% endfor %}", "{\"a\": 1, \"b\": 2}falseaba")]
    [InlineData("{% set x | upper %}a{% endset %}{{ x }}{{ missing|default }}{{ words|sort|first }}{{ 'a' < 'b' }}", "AAppletrue")]
    public void What_the_reference_lacks_follows_Jinja(string source, string expected) => Assert.Equal(expected, ChatTemplate.Parse(source).Render(Variables));

    [Theory]
    [InlineData("a\nb {{ x.y.z() }}", "2:")]
    [InlineData("\n\n  {% if %}", "3:9:")]
    [InlineData("{{ list|nonsense }}", "1:9:")]
    [InlineData("{% for x in 5 %}{% endfor %}", "1:")]
    [InlineData("ab {{ 'open", "1:")]
    [InlineData("{% if true %}", "1:")]
    [InlineData("{{ 1 / 0 }}", "1:6:")]
    [InlineData("{{ 9223372036854775807 + 1 }}", "1:")]
    [InlineData("{{ raise_exception('line\none') }}", "1:")]
    public void Errors_name_their_place_on_one_line(string source, string place)
    {
        var error = Assert.Throws<TemplateException>(() => ChatTemplate.Parse(source).Render(Variables));
        Assert.StartsWith(place, error.Message, StringComparison.Ordinal);
        Assert.True(error.Line > 0 && error.Column > 0);
        Assert.DoesNotContain('\n', error.Message);
        Assert.Equal(source.Contains("raise_exception", StringComparison.Ordinal), error.IsRaisedByTemplate);
    }

    [Fact]
    public void Variables_that_are_read_are_known()
    {
        ChatTemplate template = ChatTemplate.Parse("{% set a = tools %}{{ f(key=b.c)|join(d) if e is defined else '' }}{% for g in h %}{{ g }}{% endfor %}");
        Assert.All((string[])["tools", "b", "d", "e", "f", "h"], name => Assert.True(template.UsesVariable(name), name));
        Assert.All((string[])["a", "key", "c", "join", "defined", "i"], name => Assert.False(template.UsesVariable(name), name));
    }

    [Fact]
    public void One_template_renders_on_many_threads()
    {
        ChatTemplate template = ChatTemplate.Parse("{% set ns = namespace(n=0) %}{% for i in range(count) %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}");
        Parallel.For(0, 200, i => Assert.Equal($"{i * (i - 1) / 2}", template.Render(new Dictionary<string, TemplateValue> { ["count"] = i })));
    }

    [Fact]
    public void Values_keep_order_and_kind()
    {
        TemplateValue value = TemplateValue.Parse("""{"z": 1, "a": [true, null, 1.5, "é"], "n": 9007199254740993}""");
        string text = ChatTemplate.Parse("{{ v }}").Render(new Dictionary<string, TemplateValue> { ["v"] = value });
        Assert.Equal("""{"z": 1, "a": [true, null, 1.5, "é"], "n": 9007199254740993}""", text);
        Assert.Throws<TemplateException>(() => TemplateValue.Parse(new string('[', 100) + new string(']', 100)));
        Assert.Throws<TemplateException>(() => TemplateValue.Parse("{"));
        Assert.Throws<TemplateException>(() => TemplateValue.Parse("\"\\ud800\""));
    }

    [Fact]
    public void A_model_without_a_template_gets_ChatML()
    {
        ChatTemplates templates = ChatTemplates.Of(new Metadata());
        Assert.False(templates.IsOfModel);
        string text = templates.ForTools.Render(new Dictionary<string, TemplateValue>
        {
            ["messages"] = TemplateValue.Parse("""[{"role": "system", "content": "S"}, {"role": "user", "content": [{"type": "text", "text": "U"}]}]"""),
            ["add_generation_prompt"] = true,
        });
        Assert.Equal("<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU<|im_end|>\n<|im_start|>assistant\n", text);
    }

    [Fact]
    public void Templates_with_names_come_from_the_metadata()
    {
        var metadata = new Metadata();
        metadata.Set("tokenizer.chat_template", "plain");
        metadata.Set("tokenizer.chat_template.tool_use", "tools");
        metadata.Set("tokenizer.chat_templates", new[] { "tool_use" });
        ChatTemplates templates = ChatTemplates.Of(metadata);
        Assert.Equal("plain", templates.Default.Source);
        Assert.Equal("tools", templates.ForTools.Source);
        Assert.Equal(["tool_use"], templates.Names);
        Assert.Null(templates.Named("rag"));
    }

    [Theory]
    [InlineData("tokenizer_config.json", """{"chat_template": "one"}""", "one")]
    [InlineData("chat_template.json", """{"chat_template": "two"}""", "two")]
    [InlineData("chat_template.jinja", "three", "three")]
    public void A_folder_shows_its_template(string file, string content, string expected)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(Path.Combine(folder.Path, file), content);
        var metadata = new Metadata();
        FolderTemplates.Write(folder.Path, metadata);
        Assert.Equal(expected, ChatTemplates.Of(metadata).Default.Source);
    }
}
