using System.Globalization;
using System.Text;
using CsCheck;
using Polymath.Cli;
using Xunit;

namespace Polymath.Tests.Cli;

/// <summary>Small bits of text: escapes, figures, tables, ids.</summary>
public sealed class TextShownTests
{
    [Theory]
    [InlineData("plain text, ünïcode 한글 🙂", "plain text, ünïcode 한글 🙂")]
    [InlineData("a\nb\tc\r", @"a\nb\tc\r")]
    [InlineData("\u001b]0;title\u0007", @"\u{1B}]0;title\u{7}")]
    [InlineData("\u009b31m\u007f", @"\u{9B}31m\u{7F}")]
    [InlineData("\u202egpj.exe\u2066", @"\u{202E}gpj.exe\u{2066}")]
    [InlineData("\u2028", @"\u{2028}")]
    [InlineData(@"C:\new", @"C:\\new")]
    [InlineData("[red]markup[/]", "[red]markup[/]")]
    public void What_could_steer_a_terminal_is_spelled_out(string text, string shown) => Assert.Equal(shown, Printable.Escape(text));

    [Fact]
    public void Half_a_character_is_spelled_out() => Assert.Equal(@"half \u{D83D}", Printable.Escape("half \ud83d"));

    [Fact]
    public void Escaped_text_of_any_kind_is_one_line_without_controls() =>
        Gen.Char.Array.Select(c => new string(c)).Sample(text =>
            !Printable.Escape(text).EnumerateRunes().Any(r =>
                Rune.IsControl(r) || r == Rune.ReplacementChar && !text.Contains('\ufffd')
                || Rune.GetUnicodeCategory(r) is UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator));

    [Theory]
    [InlineData("a\tb\n", "a\tb\n")]
    [InlineData("\u001b[2J", "␛[2J")]
    [InlineData("\r\n", "\n")]
    [InlineData("\u007f\u009b", "␡\ufffd")]
    public void Text_of_a_model_keeps_line_breaks_and_loses_controls(string text, string shown) =>
        Assert.Equal(shown, Printable.Tame(text).ToString());

    [Fact]
    public void Long_text_is_cut_without_splitting_a_character()
    {
        Assert.Equal("abc… (5 characters)", Printable.Abbreviate("abcde", 3));
        Assert.Equal("ab… (6 characters)", Printable.Abbreviate("ab🙂cd", 3));
        Assert.Equal("abc", Printable.Abbreviate("abc", 3));
    }

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1024, "1.00 KiB")]
    [InlineData(1185376, "1.13 MiB")]
    [InlineData(long.MaxValue, "8192.00 PiB")]
    public void Bytes_have_a_binary_unit(long value, string shown) => Assert.Equal(shown, Figures.Bytes(value));

    [Theory]
    [InlineData(999, "999")]
    [InlineData(292_800, "292.80 K")]
    [InlineData(7_240_000_000, "7.24 B")]
    public void Parameters_have_a_decimal_unit(long value, string shown) => Assert.Equal(shown, Figures.Parameters(value));

    [Fact]
    public void Rates_and_counts_are_the_same_in_every_culture()
    {
        Assert.Equal("1,234,567", Figures.Count(1234567));
        Assert.Equal("12.50", Figures.Rate(25, TimeSpan.FromSeconds(2)));
        Assert.Equal("1250.0", Figures.Rate(2500, TimeSpan.FromSeconds(2)));
        Assert.Equal("–", Figures.Rate(5, TimeSpan.Zero));
    }

    [Fact]
    public void Columns_of_a_table_line_up()
    {
        var table = new TextTable("name", "n");
        table.Add("a", "1");
        table.Add("long", "100");
        var output = new StringWriter { NewLine = "\n" };
        table.WriteMarkdown(output, firstRight: 1);
        Assert.Equal("| name |   n |\n| ---- | --: |\n| a    |   1 |\n| long | 100 |\n", output.ToString());
    }

    [Theory]
    [InlineData("316,116,257", new[] { 316, 116, 257 })]
    [InlineData("[1, 2,\n3]", new[] { 1, 2, 3 })]
    [InlineData("", new int[0])]
    public void Ids_are_read_from_a_list(string text, int[] ids) => Assert.Equal(ids, IdList.Parse(text, 512));

    [Theory]
    [InlineData("512")]
    [InlineData("-1")]
    [InlineData("99999999999")]
    [InlineData("1,x")]
    public void Ids_outside_the_vocabulary_are_wrong_usage(string text) => Assert.Throws<UsageException>(() => IdList.Parse(text, 512));
}
