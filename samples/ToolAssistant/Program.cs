// An assistant that calls functions: dotnet run -c Release --project samples/ToolAssistant -- MODEL "What time is it in UTC?"
using System.ComponentModel;
using System.Globalization;
using Microsoft.Extensions.AI;
using Polymath.Extensions.AI;

if (args is not [string path, string question])
{
    Console.Error.WriteLine("usage: ToolAssistant MODEL QUESTION");
    return 2;
}

AITool[] tools =
[
    AIFunctionFactory.Create(
        () => DateTimeOffset.UtcNow.ToString("u", CultureInfo.InvariantCulture), "utc_now", "The date and time in UTC"),
    AIFunctionFactory.Create(
        ([Description("The first number")] double a, [Description("The second number")] double b) => a * b, "multiply", "Multiplies two numbers"),
];

// The client reports calls; this middleware makes them and lets the model go on with what they gave.
using IChatClient client = PolymathChatClient.Load(path).AsBuilder().UseFunctionInvocation().Build();
await foreach (ChatResponseUpdate update in client.GetStreamingResponseAsync(question, new ChatOptions { Tools = tools }))
{
    foreach (FunctionCallContent call in update.Contents.OfType<FunctionCallContent>())
        Console.Error.WriteLine($"calls {call.Name}({string.Join(", ", call.Arguments ?? new Dictionary<string, object?>())})");
    Console.Write(update.Text);
}

Console.WriteLine();
return 0;
